"""Which foods a person may and likes to eat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maxnutrition.contracts.meal_plan import MealPlanInput
from maxnutrition.foods.model import Food
from maxnutrition.foods.search import FoodSearch
from maxnutrition.foods.table import FoodTable
from maxnutrition.foods.words import stems_of

_DIETS = {"omnivore": 0, "vegetarian": 1, "vegan": 2}
_KINDS: dict[tuple[str, ...], Callable[[Food], bool]] = {
    stems_of("peixe"): lambda food: food.group == "fish" and "shellfish" not in food.allergens,
    stems_of("frutos do mar"): lambda food: "shellfish" in food.allergens,
    stems_of("carne"): lambda food: food.group == "meat",
    stems_of("laticínios"): lambda food: "milk" in food.allergens,
    stems_of("ovo"): lambda food: "egg" in food.allergens and food.group == "eggs",
    stems_of("fruta"): lambda food: food.group == "fruit",
    stems_of("salada"): lambda food: "salad" in food.roles,
    stems_of("feijão"): lambda food: food.id.startswith("feijao"),
}
_RED_MEAT = {stems_of("carne vermelha"), stems_of("carne de boi"), stems_of("carne bovina")}
_NOT_RED = ("frango", "peru", "coxa", "sobrecoxa")


@dataclass(frozen=True, slots=True)
class Choice:
    foods: tuple[Food, ...]
    not_recognised: tuple[str, ...]
    """Dislikes that name no food of the table."""


def choose_foods(table: FoodTable, profile: MealPlanInput) -> Choice:
    """Foods that can be planned and that nothing in the profile rules out."""
    allowed = [food for food in table if food.roles and _may_eat(food, profile)]
    search = FoodSearch(table)
    disliked: set[str] = set()
    not_recognised: list[str] = []
    for dislike in profile.dislikes:
        meant = _meant_by(search, table, dislike)
        disliked |= meant
        if not meant:
            not_recognised.append(dislike)
    return Choice(tuple(food for food in allowed if food.id not in disliked), tuple(not_recognised))


def _may_eat(food: Food, profile: MealPlanInput) -> bool:
    fits_diet = _DIETS[food.diet] >= _DIETS[profile.diet]
    return fits_diet and food.contains.isdisjoint(profile.avoid) and food.allergens.isdisjoint(profile.allergies)


def _meant_by(search: FoodSearch, table: FoodTable, dislike: str) -> set[str]:
    words = stems_of(dislike)
    if words in _RED_MEAT:
        return {food.id for food in table.in_group("meat") if not food.id.startswith(_NOT_RED)}
    kind = _KINDS.get(words)
    named = {match.food.id for match in search.find(dislike, limit=len(table))}
    return named | (set() if kind is None else {food.id for food in table.where(kind)})
