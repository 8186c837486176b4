"""From what an image detector calls a thing to a food."""

from __future__ import annotations

from collections.abc import Mapping

from maxnutrition.foods.model import Food
from maxnutrition.foods.table import FoodTable
from maxnutrition.foods.words import stems_of

LabelMap = Mapping[tuple[str, ...], Food]


def map_labels(foods: FoodTable) -> LabelMap:
    """Labels up to case, plurals, hyphens and underscores. The first food that claims a label has it."""
    found: dict[tuple[str, ...], Food] = {}
    for food in foods:
        for label in food.labels:
            found.setdefault(stems_of(label), food)
    return found


def food_of_label(labels: LabelMap, label: str) -> Food | None:
    """None for things that are no food, and for foods that are not in the table; nothing is guessed."""
    return labels.get(stems_of(label.replace("_", " ")))
