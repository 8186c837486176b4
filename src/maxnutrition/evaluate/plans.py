"""Meal plans: every promise of a plan, checked on the result alone."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from time import perf_counter

from pydantic import BaseModel

from analysis_worker import PermanentError
from maxnutrition.contracts.meal_plan import MealPlanInput, MealPlanResult, PlannedDay, PlannedFood, PlannedMeal
from maxnutrition.evaluate.score import Score
from maxnutrition.foods.model import Food, Role
from maxnutrition.foods.nutrients import MACROS
from maxnutrition.foods.table import FoodTable, core_foods
from maxnutrition.meal_plans.candidates import choose_foods
from maxnutrition.meal_plans.planning import plan_meals

SECONDS_ALLOWED = 5.0
KCAL_TOLERATED = 0.03
_ENOUGH_MAINS = 5
_MEALS = ("breakfast", "morning_snack", "lunch", "snack", "dinner", "supper")
_GRAMS_ROUNDED = 0.5


class ProfileCase(BaseModel):
    name: str
    input: MealPlanInput


class _Cases(BaseModel):
    profile: list[ProfileCase]


def evaluate() -> Score:
    """A case is right with a whole week in time and no promise broken."""
    plan_meals(MealPlanInput(sex="female", age=30, weight_kg=60, height_cm=165, days=1))  # loads what has to be loaded
    cases = read_profiles()
    failures = [f"{case.name}: {problems}" for case in cases if (problems := judge(case.input))]
    return Score("plans: all promises kept", len(cases), len(cases) - len(failures), failures)


def read_profiles() -> list[ProfileCase]:
    text = (resources.files("maxnutrition.evaluate.cases") / "plan_profiles.toml").read_text(encoding="utf-8")
    return _Cases.model_validate(tomllib.loads(text)).profile


def judge(profile: MealPlanInput) -> list[str]:
    """What is wrong with the plan that a profile gets."""
    started = perf_counter()
    try:
        plan = plan_meals(profile)
    except PermanentError as error:
        return [str(error)]
    seconds = perf_counter() - started
    slow = [f"took {seconds:.1f} s"] if seconds > SECONDS_ALLOWED else []
    return [*slow, *problems_of(profile, plan)]


@dataclass(frozen=True, slots=True)
class _Review:
    profile: MealPlanInput
    plan: MealPlanResult
    foods: FoodTable

    def each(self) -> Iterator[tuple[PlannedDay, PlannedMeal, PlannedFood]]:
        return ((day, meal, food) for day in self.plan.days for meal in day.meals for food in meal.foods)


def problems_of(profile: MealPlanInput, plan: MealPlanResult) -> list[str]:
    review = _Review(profile, plan, core_foods())
    checks = (_meals, _nutrients, _restrictions, _composition, _breakfasts, _variety, _portions, _shopping)
    return [problem for check in checks for problem in check(review)]


def _meals(review: _Review) -> Iterator[str]:
    if [day.day for day in review.plan.days] != list(range(1, review.profile.days + 1)):
        yield "days are missing"
    for day in review.plan.days:
        names = [meal.meal for meal in day.meals]
        if len(names) != review.profile.meals_per_day or names != [name for name in _MEALS if name in names]:
            yield f"day {day.day} has the meals {names}"
        if [meal for meal in day.meals if len({food.food_id for food in meal.foods}) < len(meal.foods)]:
            yield f"day {day.day} has a food twice in a meal"
    if any(food.food_id not in review.foods for _, _, food in review.each()):
        yield "a food is not in the table"


def _nutrients(review: _Review) -> Iterator[str]:
    least = 1200 if review.profile.sex == "female" else 1500
    for day in review.plan.days:
        eaten = [review.foods[food.food_id].nutrients(food.grams) for meal in day.meals for food in meal.foods]
        kcal = sum(each.kcal or 0.0 for each in eaten)
        if (
            abs(kcal - review.plan.targets.kcal) > KCAL_TOLERATED * review.plan.targets.kcal
            or review.plan.targets.kcal < least
        ):
            yield f"day {day.day} has {kcal:.0f} kcal for {review.plan.targets.kcal}"
        for name in MACROS:
            grams, bounds = sum(getattr(each, name) for each in eaten), getattr(review.plan.targets, name)
            if not bounds.low - _GRAMS_ROUNDED <= grams <= bounds.high + _GRAMS_ROUNDED:
                yield f"day {day.day} has {grams:.0f} g of {name} for {bounds.low:.0f} to {bounds.high:.0f}"


def _restrictions(review: _Review) -> Iterator[str]:
    allowed = {food.id for food in choose_foods(review.foods, review.profile).foods}
    for food_id in sorted({planned.food_id for _, _, planned in review.each()}):
        food = review.foods[food_id]
        forbidden = (
            food_id not in allowed
            or (review.profile.diet == "vegan" and food.diet != "vegan")
            or (review.profile.diet == "vegetarian" and food.diet == "omnivore")
            or food.contains & set(review.profile.avoid)
            or food.allergens & set(review.profile.allergies)
        )
        if forbidden:
            yield f"{food_id} is not to be eaten"


def _composition(review: _Review) -> Iterator[str]:
    """Lunch and dinner are meals; nothing is eaten raw that nobody eats raw."""
    eats_beans = any("beans" in food.roles for food in choose_foods(review.foods, review.profile).foods)
    for day, meal, planned in review.each():
        if not review.foods[planned.food_id].roles:
            yield f"day {day.day}, {meal.meal}: {planned.food_id} is no part of a meal"
    for day in review.plan.days:
        for meal in day.meals:
            roles: Counter[Role] = Counter(role for food in meal.foods for role in review.foods[food.food_id].roles)
            if meal.meal in {"lunch", "dinner"}:
                if not (roles["starch"] and roles["salad"] and roles["protein"] + roles["plant_protein"]):
                    yield f"day {day.day}, {meal.meal} lacks starch, salad or a main dish"
                if meal.meal == "lunch" and eats_beans and not roles["beans"]:
                    yield f"day {day.day}, lunch has no beans"
            if meal.meal == "breakfast" and not (roles["breakfast_drink"] and roles["breakfast_starch"]):
                yield f"day {day.day}, breakfast lacks a drink or bread"


def _breakfasts(review: _Review) -> Iterator[str]:
    """Cereals with milk or yogurt, spreads on something."""
    for day, meal, planned in review.each():
        if meal.meal != "breakfast":
            continue
        beside = {food.food_id for food in meal.foods}
        moist = any(name.startswith(("leite", "iogurte", "bebida-soja")) for name in beside)
        if planned.food_id in {"aveia", "granola", "cereal-milho"} and not moist:
            yield f"day {day.day}, breakfast: {planned.food_id} is dry"
        bready = any(name.startswith(("pao-", "torrada", "tapioca", "cuscuz", "batata-doce")) for name in beside)
        if planned.food_id in {"manteiga", "requeijao", "pasta-amendoim"} and not bready:
            yield f"day {day.day}, breakfast: {planned.food_id} on nothing"


def _variety(review: _Review) -> Iterator[str]:
    role: Role = "plant_protein" if review.profile.diet == "vegan" else "protein"
    choice = choose_foods(review.foods, review.profile).foods
    pool = [
        food
        for food in choice
        if role in food.roles or (review.profile.diet != "omnivore" and "plant_protein" in food.roles)
    ]
    mains = [_mains(day, review) for day in review.plan.days]
    if len(pool) >= _ENOUGH_MAINS:
        for number, (before, after) in enumerate(pairwise(mains), start=2):
            if before & after:
                yield f"days {number - 1} and {number} share {sorted(before & after)}"
    times = Counter(food_id for day in mains for food_id in day)
    most = max(3, -(-2 * review.profile.days // max(1, len(pool) - 1)))
    if times and max(times.values()) > most and len(pool) >= _ENOUGH_MAINS:
        yield f"main dishes come too often: {times.most_common(2)}"


def _mains(day: PlannedDay, review: _Review) -> set[str]:
    """Of omnivores, what is a main dish and nothing else; legumes are beans to them."""
    wanted: set[Role] = {"protein"} if review.profile.diet == "omnivore" else {"protein", "plant_protein"}
    eaten = [
        review.foods[food.food_id] for meal in day.meals if meal.meal in {"lunch", "dinner"} for food in meal.foods
    ]
    return {food.id for food in eaten if food.roles & wanted and "beans" not in food.roles}


def _portions(review: _Review) -> Iterator[str]:
    """Whole or half measures, and no mountains."""
    for day, meal, planned in review.each():
        food = review.foods[planned.food_id]
        halves = 2 * planned.grams / next(iter(food.measures.values()))
        if abs(halves - round(halves)) > 1e-6:
            yield f"day {day.day}, {meal.meal}: {planned.grams} g of {food.id} are no half measures"
        if planned.grams > _most_grams(food, review.plan.targets.kcal):
            yield f"day {day.day}, {meal.meal}: {planned.grams} g of {food.id} are too much"


def _most_grams(food: Food, kcal: float) -> float:
    portion = food.portion_grams or 100.0
    return max(3.0 * portion * max(1.0, kcal / 2000), 100.0)


def _shopping(review: _Review) -> Iterator[str]:
    grams: dict[str, float] = {}
    for _, _, planned in review.each():
        grams[planned.food_id] = grams.get(planned.food_id, 0.0) + planned.grams
    bought = {item.food_id: item.grams for item in review.plan.shopping_list}
    for name, amount in grams.items():
        needed = amount * review.foods[name].bought_per_eaten
        if not needed - 1e-6 <= bought.get(name, 0.0) < needed + 10:
            yield f"the shopping list has {bought.get(name)} g of {name} for {needed:.0f}"
    if bought.keys() != grams.keys():
        yield "the shopping list has what is not eaten"
