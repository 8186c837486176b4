"""What a meal text says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from maxnutrition.foods.meal_text.measures import Unit
from maxnutrition.foods.meal_text.vocabulary import Meal
from maxnutrition.foods.model import Food

Derivation: TypeAlias = Literal["weight", "volume", "measure", "count", "portion", "model"]
"""How grams came about: written, written as volume, household measures, counted pieces, a usual portion, a model."""

LeftoverReason: TypeAlias = Literal["not_understood", "negated"]


@dataclass(frozen=True, slots=True)
class Amount:
    """`unit` None counts pieces. `vague` is a share of a usual portion ("um pouco de")."""

    value: float
    unit: Unit | None = None
    size: str | None = None
    level: float = 1.0
    vague: bool = False


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """A food with its grams. `said` is how the user put it, `amount` how the grams came about, for the user to read."""

    food: Food
    grams: float
    said: str
    derivation: Derivation
    amount: str
    confidence: float
    meal: Meal | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leftover:
    text: str
    reason: LeftoverReason


@dataclass(frozen=True, slots=True)
class ParsedMeal:
    items: tuple[ParsedItem, ...]
    leftovers: tuple[Leftover, ...]
