"""Portions that can be measured in a kitchen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from maxnutrition.foods.model import Food

_WHOLE = frozenset({"unidade", "fatia", "rodela", "folha", "gomo", "pote", "quadradinho", "ramo"})
_SMALLEST_TO_HALVE = 100.0


@dataclass(frozen=True, slots=True)
class Portions:
    """`steps` from `least` to `most`; one is `grams` of the food, half a measure or a whole one."""

    measure: str
    measure_grams: float
    grams: float
    least: int
    most: int


def portions_of(food: Food, least: float, most: float) -> Portions:
    """`least` and `most` in usual portions; always at least one step."""
    measure, measure_grams = next(iter(food.measures.items()))
    whole = measure in _WHOLE and measure_grams < _SMALLEST_TO_HALVE
    grams = measure_grams if whole else measure_grams / 2
    portion = food.portion_grams or measure_grams
    lowest = max(1, math.ceil(least * portion / grams - 1e-9))
    return Portions(measure, measure_grams, grams, lowest, max(lowest, math.floor(most * portion / grams + 1e-9)))


def spoken(portions: Portions, steps: int) -> str:
    """ "1½ × concha"."""
    whole, half = divmod(round(2 * steps * portions.grams / portions.measure_grams), 2)
    return f"{whole or ''}{'½' * half} × {portions.measure}"
