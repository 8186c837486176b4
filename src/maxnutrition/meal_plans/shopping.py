"""What to buy for all days together."""

from __future__ import annotations

import math
from collections.abc import Iterable

from maxnutrition.contracts.meal_plan import ShoppingItem
from maxnutrition.foods.meal_text.portions import is_drink
from maxnutrition.foods.model import UNIT, Food

_AISLES = (
    "vegetables",
    "fruit",
    "cereals",
    "legumes",
    "meat",
    "fish",
    "eggs",
    "dairy",
    "nuts",
    "fats",
    "drinks",
    "sweets",
)
_ROUNDED_TO = 10


def shopping_list(eaten: Iterable[tuple[Food, float]]) -> list[ShoppingItem]:
    """Foods with grams as eaten, in any order; the list goes by the aisles of a market."""
    sums: dict[str, float] = {}
    foods: dict[str, Food] = {}
    for food, grams in eaten:
        foods[food.id] = food
        sums[food.id] = sums.get(food.id, 0.0) + grams
    ordered = sorted(foods.values(), key=lambda food: (_aisle(food), food.name))
    return [_item(food, sums[food.id]) for food in ordered]


def _aisle(food: Food) -> int:
    return _AISLES.index(food.group) if food.group in _AISLES else len(_AISLES)


def _item(food: Food, eaten: float) -> ShoppingItem:
    bought = math.ceil(eaten * food.bought_per_eaten / _ROUNDED_TO - 1e-9) * _ROUNDED_TO
    return ShoppingItem(food_id=food.id, name=food.name, grams=bought, quantity=_quantity(food, eaten, bought))


def _quantity(food: Food, eaten: float, bought: float) -> str:
    measure, grams = next(iter(food.measures.items()))
    if measure == UNIT:
        count = math.ceil(eaten / grams - 1e-9)
        return f"{count} unidade" if count == 1 else f"{count} unidades"
    if food.bought_per_eaten == 1 and is_drink(food):
        return _in_units(bought, "ml", "litro")
    raw = " (peso cru)" if food.bought_per_eaten != 1 and food.group != "drinks" else ""
    dry = " (seco)" if food.bought_per_eaten != 1 and food.group == "drinks" else ""
    return _in_units(bought, "g", "kg") + raw + dry


def _in_units(amount: float, small: str, large: str) -> str:
    if amount < 1000:
        return f"{amount:.0f} {small}"
    number = f"{amount / 1000:.2f}".rstrip("0").rstrip(".").replace(".", ",")
    return f"{number} {large}s" if large == "litro" and amount >= 2000 else f"{number} {large}"
