"""Day after day, so that no two are alike."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from maxnutrition.contracts.meal_plan import MealPlanInput
from maxnutrition.foods.model import Food
from maxnutrition.meal_plans.day import Chosen, Option, plan_day
from maxnutrition.meal_plans.patterns import BEANS, MAIN, STAPLES, MealPattern, Slot, meals_of_a_day
from maxnutrition.meal_plans.portions import Portions, portions_of
from maxnutrition.meal_plans.targets import Targets
from maxnutrition.meal_plans.taste import RICE, rules_of

SECONDS_PER_DAY = 3.0
"""A safeguard; a day usually takes a tenth of a second."""

_ATTEMPTS = 3
_OPTIONS_PER_SLOT = 7
_REFERENCE_KCAL = 2000.0
_USUAL = frozenset({*RICE, "feijao-carioca", "feijao-preto", "cafe", "pao-frances", "alface", "salada-mista"})
_EVERY_DAY = frozenset({*_USUAL, "azeite", "leite", "cafe-leite", "cha", "feijao-carioca", "tomate"})
_MOST_MAINS, _MOST_OTHERS = 3, 4
_ENOUGH_MAINS = 5


@dataclass(slots=True)
class _History:
    """Days on which a food was a main dish, and on which it was anything else: eggs can be both."""

    as_main: Counter[str] = field(default_factory=Counter)
    otherwise: Counter[str] = field(default_factory=Counter)
    mains_before: set[str] = field(default_factory=set)

    def add(self, day: Sequence[Chosen]) -> None:
        self.mains_before = {each.option.food.id for each in day if each.option.slot.name == MAIN}
        self.as_main.update(self.mains_before)
        self.otherwise.update({each.option.food.id for each in day if each.option.slot.name != MAIN})

    def times(self, slot: Slot, food: Food) -> int:
        return self.as_main[food.id] if slot.name == MAIN else self.otherwise[food.id]


def plan_week(profile: MealPlanInput, targets: Targets, foods: Sequence[Food]) -> list[list[Chosen]] | None:
    """None where no week was found. The same arguments give the same week.

    A week that gets stuck, because what is left after some days does not fit together, is begun anew.
    """
    for attempt in range(_ATTEMPTS):
        days = _try_week(profile, targets, foods, attempt)
        if days is not None:
            return days
    return None


def _try_week(
    profile: MealPlanInput, targets: Targets, foods: Sequence[Food], attempt: int
) -> list[list[Chosen]] | None:
    history = _History()
    days: list[list[Chosen]] = []
    for day in range(profile.days):
        dice = random.Random(f"{profile.seed}/{attempt}/{day}")  # noqa: S311 - chance for variety, to be repeated at will
        chosen = _plan_one(profile, targets, foods, history, dice)
        if chosen is None:
            return None
        days.append(chosen)
        history.add(chosen)
    return days


def is_short_of_mains(foods: Sequence[Food], diet: str) -> bool:
    """Whether there are too few main dishes for none to come on two days running."""
    return len(_mains(foods, diet)) < _ENOUGH_MAINS


def _mains(foods: Sequence[Food], diet: str) -> list[Food]:
    [lunch] = [pattern for pattern in meals_of_a_day(3, diet) if pattern.meal == "lunch"]
    roles = next(slot.roles for slot in lunch.slots if slot.name == MAIN)
    return [food for food in foods if food.roles & roles]


def _plan_one(
    profile: MealPlanInput, targets: Targets, foods: Sequence[Food], history: _History, dice: random.Random
) -> list[Chosen] | None:
    """First among a few foods per slot, which is quick, then among all, then among what has been there often, too."""
    patterns = [_without_empty_beans(pattern, foods) for pattern in meals_of_a_day(profile.meals_per_day, profile.diet)]
    mains = _mains(foods, profile.diet)
    most_as_main = max(_MOST_MAINS, math.ceil(2 * profile.days / max(1, len(mains) - 1)))
    all_options = _Wishes(targets, history, dice).options(patterns, foods)
    allowed = [option for option in all_options if len(mains) < _ENOUGH_MAINS or not _was_main_before(option, history)]
    fresh = [option for option in allowed if not _is_eaten_often(option, history, most_as_main)]
    for candidates in (_some(fresh, dice), fresh, allowed):
        chosen = plan_day(patterns, candidates, rules_of(candidates), targets, SECONDS_PER_DAY)
        if chosen is not None:
            return chosen
    return None


def _was_main_before(option: Option, history: _History) -> bool:
    return option.slot.name == MAIN and option.food.id in history.mains_before


def _is_eaten_often(option: Option, history: _History, most_as_main: int) -> bool:
    most = most_as_main if option.slot.name == MAIN else _MOST_OTHERS
    return option.food.id not in _EVERY_DAY and history.times(option.slot, option.food) >= most


@dataclass(frozen=True, slots=True)
class _Wishes:
    """How much each food is wanted on a day: by chance, by custom, and the less the more often it was there."""

    targets: Targets
    history: _History
    dice: random.Random

    def options(self, patterns: Sequence[MealPattern], foods: Sequence[Food]) -> list[Option]:
        return [
            Option(pattern.meal, slot, food, self._portions(slot, food), self._cost(slot, food))
            for pattern in patterns
            for slot in pattern.slots
            for food in foods
            if food.roles & slot.roles
        ]

    def _portions(self, slot: Slot, food: Food) -> Portions:
        scale = max(1.0, self.targets.kcal / _REFERENCE_KCAL)
        return portions_of(food, slot.least, slot.most * (scale if slot.name in STAPLES else math.sqrt(scale)))

    def _cost(self, slot: Slot, food: Food) -> float:
        cost = 1.0 + self.dice.random()
        if food.id in _USUAL:
            cost -= 0.6
        if food.id not in _EVERY_DAY:
            cost += 0.5 * self.history.times(slot, food)
        if slot.name == MAIN and food.id in self.history.mains_before:
            cost += 2.0
        return cost - 1.2 if slot.optional else cost


def _some(options: Sequence[Option], dice: random.Random) -> list[Option]:
    """The most wanted of each slot, and a few others for the sake of the sums."""
    slots: dict[tuple[str, str], list[Option]] = {}
    for option in options:
        slots.setdefault((option.meal, option.slot.name), []).append(option)
    some: list[Option] = []
    for fitting in slots.values():
        ranked = sorted(fitting, key=lambda option: option.cost)
        rest = ranked[_OPTIONS_PER_SLOT - 2 :]
        some.extend([*ranked[: _OPTIONS_PER_SLOT - 2], *dice.sample(rest, min(2, len(rest)))])
    return some


def _without_empty_beans(pattern: MealPattern, foods: Sequence[Food]) -> MealPattern:
    """Who eats no beans has lunch without."""
    slots = tuple(
        slot for slot in pattern.slots if slot.name != BEANS or any(food.roles & slot.roles for food in foods)
    )
    return MealPattern(pattern.meal, slots, pattern.least, pattern.most)
