"""Nutrients, with unknown kept apart from zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Nutrients:
    """Energy in kcal; protein, carbohydrate, fat, fibre and alcohol in g; the rest in mg. None is unknown."""

    kcal: float | None = None
    protein: float | None = None
    carbohydrate: float | None = None
    fat: float | None = None
    fibre: float | None = None
    sodium: float | None = None
    calcium: float | None = None
    iron: float | None = None
    vitamin_c: float | None = None
    alcohol: float | None = None

    def scaled(self, factor: float) -> Nutrients:
        return Nutrients(**{name: None if amount is None else amount * factor for name, amount in items_of(self)})


@dataclass(frozen=True, slots=True)
class NutrientSum:
    """What is known of a sum. `unknown` names the nutrients that at least one part does not tell: there, the sum is a
    lower bound, and None where no part tells."""

    known: Nutrients
    unknown: frozenset[str]


NUTRIENT_NAMES = tuple(field.name for field in fields(Nutrients))
MACROS = ("protein", "carbohydrate", "fat")


def items_of(nutrients: Nutrients) -> list[tuple[str, float | None]]:
    return [(name, getattr(nutrients, name)) for name in NUTRIENT_NAMES]


def add_up(parts: Iterable[Nutrients]) -> NutrientSum:
    """The sum over no parts is zero, and known."""
    listed = list(parts)
    sums: dict[str, float | None] = {}
    unknown: set[str] = set()
    for name in NUTRIENT_NAMES:
        amounts = [getattr(part, name) for part in listed]
        told = [amount for amount in amounts if amount is not None]
        sums[name] = sum(told) if told or not listed else None
        if len(told) < len(amounts):
            unknown.add(name)
    return NutrientSum(Nutrients(**sums), frozenset(unknown))
