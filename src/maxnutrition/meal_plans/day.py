"""One day as a mixed-integer linear programme, solved by HiGHS.

For every slot of every meal and every food that can fill it: a binary "is it this", and an integer "how many steps".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from maxnutrition.contracts.foods import Meal
from maxnutrition.foods.model import Food
from maxnutrition.foods.nutrients import MACROS
from maxnutrition.meal_plans.patterns import MealPattern, Slot
from maxnutrition.meal_plans.portions import Portions
from maxnutrition.meal_plans.targets import KCAL_TOLERANCE, Targets

NODE_LIMIT = 3000
"""Ends a search that goes on too long at the same point on every machine; a time limit alone would not."""
_GAP = 0.05


@dataclass(frozen=True, slots=True)
class Option:
    """A food that can fill a slot. `cost` is how little it is wanted there on this day."""

    meal: Meal
    slot: Slot
    food: Food
    portions: Portions
    cost: float

    def per_step(self, nutrient: str) -> float:
        amount: float | None = getattr(self.food.per_100g, nutrient)
        assert amount is not None, "foods with a role have energy and macronutrients"
        return amount * self.portions.grams / 100


@dataclass(frozen=True, slots=True)
class Chosen:
    option: Option
    steps: int

    @property
    def grams(self) -> float:
        return self.steps * self.option.portions.grams


Rule = tuple[Mapping[int, float], float, float]
"""Coefficients of "is it this food" by index of the option, and the least and most their sum may be."""


class _Programme:
    """Rows of coefficients over all variables: first the binaries, then the steps."""

    def __init__(self, options: Sequence[Option]) -> None:
        self._size = len(options)
        self._entries: list[tuple[int, int, float]] = []
        self._least: list[float] = []
        self._most: list[float] = []

    def choose(self, coefficients: Mapping[int, float], least: float, most: float) -> None:
        self._add(coefficients, least, most)

    def measure(self, coefficients: Mapping[int, float], least: float, most: float) -> None:
        self._add({self._size + index: each for index, each in coefficients.items()}, least, most)

    def link(self, index: int, portions: Portions) -> None:
        """No food, no steps; a food, its steps within bounds."""
        self._add({self._size + index: 1.0, index: -float(portions.most)}, -np.inf, 0.0)
        self._add({self._size + index: 1.0, index: -float(portions.least)}, 0.0, np.inf)

    def constraint(self) -> LinearConstraint:
        rows, columns, values = zip(*self._entries, strict=True)
        matrix = csr_array((values, (rows, columns)), shape=(len(self._least), 2 * self._size))
        return LinearConstraint(matrix, np.array(self._least), np.array(self._most))

    def _add(self, coefficients: Mapping[int, float], least: float, most: float) -> None:
        row = len(self._least)
        self._entries.extend((row, column, value) for column, value in coefficients.items())
        self._least.append(least)
        self._most.append(most)


def plan_day(
    patterns: Sequence[MealPattern], options: Sequence[Option], rules: Iterable[Rule], targets: Targets, seconds: float
) -> list[Chosen] | None:
    """The foods of a day with their steps; None where there is no such day, or none was found in time."""
    programme = _Programme(options)
    for index, option in enumerate(options):
        programme.link(index, option.portions)
    if not _fill_slots(programme, patterns, options):
        return None
    _bound_nutrients(programme, patterns, options, targets)
    for rule in rules:
        programme.choose(*rule)
    solved = milp(
        np.array([option.cost for option in options] + [0.0] * len(options)),
        integrality=np.ones(2 * len(options), dtype=np.int64),
        bounds=Bounds(0, np.array([1.0] * len(options) + [float(option.portions.most) for option in options])),
        constraints=programme.constraint(),
        options={"time_limit": seconds, "node_limit": NODE_LIMIT, "mip_rel_gap": _GAP},
    )
    if solved.x is None:
        return None
    steps = [round(value) for value in solved.x[len(options) :]]
    return [Chosen(option, step) for option, step in zip(options, steps, strict=True) if step > 0]


def _fill_slots(programme: _Programme, patterns: Sequence[MealPattern], options: Sequence[Option]) -> bool:
    """False where nothing can fill a slot that has to be filled."""
    for pattern in patterns:
        for slot in pattern.slots:
            fitting = [at for at, each in enumerate(options) if (each.meal, each.slot) == (pattern.meal, slot)]
            if not fitting and not slot.optional:
                return False
            if fitting:
                programme.choose(dict.fromkeys(fitting, 1.0), 0.0 if slot.optional else 1.0, 1.0)
    return True


def _bound_nutrients(
    programme: _Programme, patterns: Sequence[MealPattern], options: Sequence[Option], targets: Targets
) -> None:
    kcal = {index: option.per_step("kcal") for index, option in enumerate(options)}
    programme.measure(kcal, targets.kcal * (1 - KCAL_TOLERANCE), targets.kcal * (1 + KCAL_TOLERANCE))
    for pattern in patterns:
        share = {at: kcal[at] for at, option in enumerate(options) if option.meal == pattern.meal}
        programme.measure(share, pattern.least * targets.kcal, pattern.most * targets.kcal)
    for nutrient in MACROS:
        least, most = getattr(targets, nutrient)
        programme.measure({index: option.per_step(nutrient) for index, option in enumerate(options)}, least, most)
