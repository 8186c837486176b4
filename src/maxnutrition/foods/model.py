"""What a food is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from maxnutrition.foods.nutrients import Nutrients

Group: TypeAlias = Literal[
    "cereals",
    "vegetables",
    "fruit",
    "fats",
    "fish",
    "meat",
    "dairy",
    "eggs",
    "legumes",
    "nuts",
    "drinks",
    "sweets",
    "dishes",
    "seasonings",
]
Role: TypeAlias = Literal[
    "breakfast_starch",
    "breakfast_protein",
    "breakfast_spread",
    "breakfast_fruit",
    "breakfast_drink",
    "starch",
    "beans",
    "protein",
    "plant_protein",
    "salad",
    "cooked_vegetable",
    "oil",
    "fruit",
    "snack",
    "meal_drink",
    "light_drink",
    "night_drink",
]
Diet: TypeAlias = Literal["omnivore", "vegetarian", "vegan"]
Allergen: TypeAlias = Literal["wheat", "milk", "egg", "peanut", "nuts", "soy", "fish", "shellfish"]
Substance: TypeAlias = Literal["gluten", "lactose"]

PORTION = "porção"
UNIT = "unidade"


@dataclass(frozen=True, slots=True)
class Food:
    """`measures` are household measures in grams, the usual one first; drinks count 1 ml as 1 g.

    `vague` are synonyms that leave open what is meant ("suco"): this food is then only the likeliest.
    `bought_per_eaten` is how many grams are bought for one that is eaten (0.4 for rice: it is cooked in water).
    """

    id: str
    name: str
    group: Group
    synonyms: tuple[str, ...]
    vague: tuple[str, ...]
    labels: tuple[str, ...]
    roles: frozenset[Role]
    diet: Diet
    allergens: frozenset[Allergen]
    contains: frozenset[Substance]
    measures: Mapping[str, float]
    bought_per_eaten: float
    per_100g: Nutrients
    source: str

    def nutrients(self, grams: float) -> Nutrients:
        return self.per_100g.scaled(grams / 100)

    @property
    def portion_grams(self) -> float | None:
        """A usual portion; None where the table has none."""
        return self.measures.get(PORTION)
