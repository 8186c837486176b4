"""The prompts, as files: a change of wording is a new version, so that results say what they were made with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from importlib import resources


class PromptName(Enum):
    """Every prompt in its current version."""

    SOFIA = "sofia.v1"
    DR_VITAL = "dr_vital.v1"
    DR_VITAL_READING = "dr_vital_reading.v1"
    HEALTH_INSIGHTS = "health_insights.v1"
    WHATSAPP = "whatsapp.v1"
    SOFIA_IMAGE = "sofia_image.v1"
    SOFIA_HINTS = "sofia_hints.v1"
    SOFIA_TEXT = "sofia_text.v1"
    MEDICAL_EXAM = "medical_exam.v1"


_DATA_RULES = "data_rules.v1"


@dataclass(frozen=True, slots=True)
class Prompt:
    version: str
    """Name and version, as results carry it."""
    text: str


def load_prompt(name: PromptName) -> Prompt:
    """With the rules about data that all of them share."""
    return Prompt(name.value, f"{_read(name.value)}\n{_read(_DATA_RULES)}")


def _read(name: str) -> str:
    return (resources.files("maxnutrition.prompts") / f"{name}.md").read_text(encoding="utf-8")
