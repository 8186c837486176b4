"""The request for reading a lab report: a model copies what is printed, code reads the numbers and the ranges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from maxnutrition.contracts.common import Confidence, Name
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.providers.forms import Structured
from maxnutrition.providers.request import Message, ModelRequest


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CopiedAnalyte(_Answer):
    """As printed."""

    page: Annotated[int, Field(ge=1)]
    name: Name
    value_text: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    unit: Annotated[str, StringConstraints(max_length=40)] | None
    reference_text: Annotated[str, StringConstraints(max_length=600)] | None
    confidence: Confidence


class CopiedReport(_Answer):
    laboratory: Name | None
    collected_at: date | None
    analytes: Annotated[list[CopiedAnalyte], Field(max_length=200)]


def exam_request(pages: Sequence[bytes]) -> ModelRequest[CopiedReport]:
    """`pages` are JPEGs in order."""
    prompt = load_prompt(PromptName.MEDICAL_EXAM)
    message = Message("user", f"Transcreva os resultados das {len(pages)} páginas.", tuple(pages))

    def find_problems(report: CopiedReport) -> Sequence[str]:
        return [f"page {one.page} does not exist" for one in report.analytes if one.page > len(pages)]

    form = Structured(CopiedReport, find_problems)
    return ModelRequest("medical_exam", prompt.text, (message,), form, max_output_tokens=8192)
