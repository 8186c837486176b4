"""The vocabulary: what was seen where, or why nobody looked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class BoxFormat(Enum):
    """How a detector writes boxes, in pixels. A setting: the numbers alone do not tell."""

    CORNER_AND_SIZE = "xywh"
    """`[x, y, width, height]`, x and y of the top left corner: the app's own service."""
    TWO_CORNERS = "xyxy"
    """`[x1, y1, x2, y2]`, top left and bottom right."""


@dataclass(frozen=True, slots=True)
class Region:
    """In pixels, within the image."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Detection:
    """`region` is None where the detector gave none that makes sense; `is_food` is None where it did not say."""

    label: str
    label_pt: str | None
    confidence: float
    region: Region | None
    is_food: bool | None


@dataclass(frozen=True, slots=True)
class Detections:
    """The most certain first. Empty says that the detector looked and saw nothing it knows."""

    items: tuple[Detection, ...]
    model_version: str | None

    @property
    def foods(self) -> tuple[Detection, ...]:
        return tuple(item for item in self.items if item.is_food)


@dataclass(frozen=True, slots=True)
class HintsUnavailable:
    """Nobody looked, which is not the same as nothing seen. `reason` is for the log, `message` for the user."""

    reason: str

    @property
    def message(self) -> str:
        return "O detector de alimentos não estava disponível; a análise foi feita sem ele."


Hints: TypeAlias = Detections | HintsUnavailable
