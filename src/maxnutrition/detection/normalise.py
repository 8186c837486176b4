"""A detector's answer, whatever shape its version gives it, becomes `Hints`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maxnutrition.detection.hints import BoxFormat, Detection, Detections, Hints, HintsUnavailable, Region

_MAX_LABEL = 80
_MAX_READ = 1000
"""Items looked at: an answer of millions is not from a detector."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read an answer: the box format, the image's size in pixels, and what of it is wanted."""

    box_format: BoxFormat
    image_size: tuple[int, int]
    min_confidence: float
    max_detections: int


def normalise(answer: object, reading: Reading) -> Hints:
    """Items that make no sense are dropped one by one, an answer that makes none is `HintsUnavailable`.

    The service answers a failed inference with an empty list and `inference_time_ms: 0`: that is no empty plate.
    """
    if not isinstance(answer, Mapping):
        return HintsUnavailable("the answer is no JSON object")
    if answer.get("success") is False:
        return HintsUnavailable("the detector says that it failed")
    items = [item for item in (_detection(raw, reading) for raw in _raw_items(answer)) if item]
    took = _finite(answer.get("inference_time_ms"))
    if not any(_raw_items(answer)) and not (took and took > 0):
        return HintsUnavailable("an empty answer without inference time is a failed inference")
    wanted = sorted((item for item in items if item.confidence >= reading.min_confidence), key=_certain_first)
    return Detections(tuple(wanted[: reading.max_detections]), _text(answer.get("model_version")))


def _certain_first(item: Detection) -> float:
    return -item.confidence


def _raw_items(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """`objects` holds the foods too; an answer with `food_objects` alone is read as that."""
    objects, foods = _list(answer.get("objects")), _list(answer.get("food_objects"))
    for item in (objects or foods)[:_MAX_READ]:
        if isinstance(item, Mapping):
            yield item if objects else {"is_food": True, **item}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []


def _detection(item: Mapping[str, Any], reading: Reading) -> Detection | None:
    label, confidence = _text(item.get("class_name")), _finite(item.get("confidence"))
    if label is None or confidence is None or not 0 <= confidence <= 1:
        return None
    is_food = item.get("is_food")
    return Detection(
        label=label,
        label_pt=_text(item.get("class_name_pt")),
        confidence=confidence,
        region=_region(item.get("bbox"), reading),
        is_food=is_food if isinstance(is_food, bool) else None,
    )


def _region(box: object, reading: Reading) -> Region | None:
    numbers = [_finite(number) for number in _list(box)[:5]]
    if len(numbers) != 4:
        return None
    first, second, third, fourth = (math.nan if number is None else number for number in numbers)
    if reading.box_format is BoxFormat.CORNER_AND_SIZE:
        third, fourth = first + third, second + fourth
    width, height = reading.image_size
    left, right = _clip(first, width), _clip(third, width)
    top, bottom = _clip(second, height), _clip(fourth, height)
    if not (left < right and top < bottom):  # also where one of them is NaN
        return None
    return Region(left, top, right - left, bottom - top)


def _clip(value: float, most: int) -> float:
    return value if math.isnan(value) else min(max(value, 0.0), float(most))


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _text(value: object) -> str | None:
    """One line of printable characters: it ends up in a prompt."""
    if not isinstance(value, str):
        return None
    printable = "".join(char if char.isprintable() else " " for char in value[: 4 * _MAX_LABEL])
    return " ".join(printable.split())[:_MAX_LABEL] or None
