"""The form in which foods are written down, core and imported alike: a table by food id.

[feijao-preto]
name = "Feijão-preto cozido"
synonyms = ["feijão preto", "black beans"]      # what people call it
vague = []                                      # what people call it when they may mean something else
labels = ["black beans"]                        # what image detectors call it
roles = ["beans"]                               # what it can be in a planned meal; none: never planned
diet = "vegan"                                  # the strictest diet it fits
allergens = []
contains = []                                   # "gluten", "lactose"
measures = { "concha" = 86, "porção" = 86 }     # g or ml
bought_per_eaten = 0.4
per_100g = { kcal = 77, protein = 4.5 }         # what is missing is unknown; but alcohol is 0
absent = []                                     # nutrients at 0 because the food cannot have them (TACO's "NA")
source = "TACO 567"
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from maxnutrition.foods.model import Allergen, Diet, Food, Group, Role, Substance
from maxnutrition.foods.nutrients import Nutrients

Amount = Annotated[float, Field(ge=0, le=100_000)]
PositiveAmount = Annotated[float, Field(gt=0, le=10_000)]
Text = Annotated[str, Field(min_length=1, max_length=120)]


class NutrientsEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kcal: Amount | None = None
    protein: Amount | None = None
    carbohydrate: Amount | None = None
    fat: Amount | None = None
    fibre: Amount | None = None
    sodium: Amount | None = None
    calcium: Amount | None = None
    iron: Amount | None = None
    vitamin_c: Amount | None = None
    alcohol: Amount | None = 0.0


class FoodEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Text
    synonyms: list[Text] = []
    vague: list[Text] = []
    labels: list[Text] = []
    roles: list[Role] = []
    diet: Diet = "omnivore"
    allergens: list[Allergen] = []
    contains: list[Substance] = []
    measures: dict[Text, PositiveAmount] = {}
    bought_per_eaten: PositiveAmount = 1.0
    per_100g: NutrientsEntry = NutrientsEntry()
    absent: list[str] = []
    source: Text

    def as_food(self, food_id: str, group: Group) -> Food:
        return Food(
            id=food_id,
            name=self.name,
            group=group,
            synonyms=tuple(self.synonyms),
            vague=tuple(self.vague),
            labels=tuple(self.labels),
            roles=frozenset(self.roles),
            diet=self.diet,
            allergens=frozenset(self.allergens),
            contains=frozenset(self.contains),
            measures=MappingProxyType(dict(self.measures)),
            bought_per_eaten=self.bought_per_eaten,
            per_100g=Nutrients(**self.per_100g.model_dump()),
            source=self.source,
        )


class GroupedEntry(FoodEntry):
    """Files that hold several groups name the group of each food."""

    group: Group


_CORE_FILE = TypeAdapter(dict[str, FoodEntry])
_MIXED_FILE = TypeAdapter(dict[str, GroupedEntry])


def read_group(document: Mapping[str, Any], group: Group) -> list[Food]:
    """Raises pydantic's ValidationError."""
    return [entry.as_food(food_id, group) for food_id, entry in _CORE_FILE.validate_python(document).items()]


def read_mixed(text: str | bytes) -> list[Food]:
    """From JSON. Raises pydantic's ValidationError."""
    return [entry.as_food(food_id, entry.group) for food_id, entry in _MIXED_FILE.validate_json(text).items()]
