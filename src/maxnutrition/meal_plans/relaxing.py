"""Where no plan is possible: which wish stands in the way. Allergies and intolerances are no wishes and are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from maxnutrition.contracts.meal_plan import MealPlanInput

_DIETS = {"vegan": "vegetarian", "vegetarian": "omnivore"}
_DIET_NAMES = {"vegan": "a dieta vegana", "vegetarian": "a dieta vegetariana"}


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A profile with one wish less; `wish` completes "abrir mão de"."""

    wish: str
    profile: MealPlanInput


def relaxations(profile: MealPlanInput) -> Iterator[Relaxed]:
    """One wish at a time, the lightest first."""
    for dislike in profile.dislikes:
        kept = [other for other in profile.dislikes if other != dislike]
        yield Relaxed(f"não comer “{dislike}”", profile.model_copy(update={"dislikes": kept}))
    if profile.meals_per_day != 4:
        wish = f"ter {profile.meals_per_day} refeições por dia (com 4 dá certo)"
        yield Relaxed(wish, profile.model_copy(update={"meals_per_day": 4}))
    if profile.goal != "keep":
        wish = "emagrecer por enquanto" if profile.goal == "lose" else "ganhar peso por enquanto"
        yield Relaxed(wish, profile.model_copy(update={"goal": "keep"}))
    if profile.diet in _DIETS:
        yield Relaxed(_DIET_NAMES[profile.diet], profile.model_copy(update={"diet": _DIETS[profile.diet]}))


def wishes_in_the_way(profile: MealPlanInput, is_possible: Callable[[MealPlanInput], bool]) -> list[str]:
    """The wishes of which giving up one alone makes a plan possible."""
    return [relaxed.wish for relaxed in relaxations(profile) if is_possible(relaxed.profile)]
