"""What meals are made of in Brazil: slots, each filled with foods of certain roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maxnutrition.contracts.foods import Meal
from maxnutrition.foods.model import Role


@dataclass(frozen=True, slots=True)
class Slot:
    """One food, or none where it is `optional`. `least` and `most` are in usual portions at 2000 kcal a day."""

    name: str
    roles: frozenset[Role]
    least: float
    most: float
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MealPattern:
    """`least` and `most` are shares of the day's energy."""

    meal: Meal
    slots: tuple[Slot, ...]
    least: float
    most: float


def _slot(name: str, roles: str, least: float, most: float) -> Slot:
    return Slot(name.rstrip("?"), frozenset(roles.split()), least, most, name.endswith("?"))  # type: ignore[arg-type]


STARCH, BEANS, MAIN = "starch", "beans", "main"
STAPLES = frozenset({STARCH, BEANS, MAIN, "bread", "oil"})
"""Slots of which people eat more when they need more; of the others, little more."""

MAIN_ROLES: Mapping[str, str] = {
    "omnivore": "protein",
    "vegetarian": "protein plant_protein",
    "vegan": "plant_protein",
}

_BREAKFAST = (
    _slot("drink", "breakfast_drink", 1.0, 1.5),
    _slot("bread", "breakfast_starch", 0.7, 2.0),
    _slot("topping?", "breakfast_protein breakfast_spread", 0.6, 2.0),
    _slot("fruit?", "breakfast_fruit fruit", 0.7, 1.5),
)
_MORNING_SNACK = (_slot("fruit", "fruit", 0.7, 1.5), _slot("snack?", "snack", 0.5, 1.2))
_SNACK = (
    _slot("snack", "snack", 0.7, 1.5),
    _slot("fruit?", "fruit", 0.7, 1.5),
    _slot("drink?", "light_drink", 1.0, 1.0),
)
_SUPPER = (_slot("drink", "night_drink", 1.0, 1.0), _slot("fruit?", "fruit", 0.5, 1.2))


def _lunch(main_roles: str) -> tuple[Slot, ...]:
    return (
        _slot(STARCH, "starch", 0.7, 2.5),
        _slot(BEANS, "beans", 0.7, 2.0),
        _slot(MAIN, main_roles, 0.7, 2.0),
        _slot("salad", "salad", 0.7, 2.0),
        _slot("vegetable?", "cooked_vegetable", 0.7, 1.5),
        _slot("oil", "oil", 0.5, 2.0),
        _slot("drink?", "meal_drink", 1.0, 1.0),
    )


def _dinner(main_roles: str) -> tuple[Slot, ...]:
    return (
        _slot(STARCH, "starch", 0.7, 2.2),
        _slot(f"{BEANS}?", "beans", 0.7, 1.5),
        _slot(MAIN, main_roles, 0.7, 1.8),
        _slot("salad", "salad", 0.7, 2.0),
        _slot("vegetable?", "cooked_vegetable", 0.7, 1.5),
        _slot("oil?", "oil", 0.5, 2.0),
        _slot("fruit?", "fruit", 0.7, 1.3),
    )


def meals_of_a_day(meals: int, diet: str) -> Sequence[MealPattern]:
    """3 to 6 meals, in the order of the day."""
    main = MAIN_ROLES[diet]
    patterns = {
        "breakfast": MealPattern("breakfast", _BREAKFAST, 0.12, 0.32),
        "morning_snack": MealPattern("morning_snack", _MORNING_SNACK, 0.02, 0.15),
        "lunch": MealPattern("lunch", _lunch(main), 0.25, 0.45),
        "snack": MealPattern("snack", _SNACK, 0.04, 0.20),
        "dinner": MealPattern("dinner", _dinner(main), 0.18, 0.42),
        "supper": MealPattern("supper", _SUPPER, 0.02, 0.12),
    }
    left_out = {3: {"morning_snack", "snack", "supper"}, 4: {"morning_snack", "supper"}, 5: {"supper"}, 6: set[str]()}
    return [pattern for name, pattern in patterns.items() if name not in left_out[meals]]
