"""From a profile to a plan. No I/O: it computes, and can be killed at any time."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_worker import PermanentError
from maxnutrition.contracts.meal_plan import (
    PLAN_DISCLAIMER,
    Bounds,
    MealPlanInput,
    MealPlanResult,
    PlannedDay,
    PlannedFood,
    PlannedMeal,
    PlanTargets,
)
from maxnutrition.foods.meal_text.report import total_of
from maxnutrition.foods.table import FoodTable, core_foods
from maxnutrition.meal_plans.candidates import Choice, choose_foods
from maxnutrition.meal_plans.day import Chosen
from maxnutrition.meal_plans.patterns import BEANS, meals_of_a_day
from maxnutrition.meal_plans.portions import spoken
from maxnutrition.meal_plans.relaxing import wishes_in_the_way
from maxnutrition.meal_plans.shopping import shopping_list
from maxnutrition.meal_plans.targets import Range, Targets, targets_for
from maxnutrition.meal_plans.week import is_short_of_mains, plan_week


def plan_meals(profile: MealPlanInput) -> MealPlanResult:
    """Raises PermanentError `profile_needs_care`, or `plan_infeasible` with the wishes that stand in the way."""
    table = core_foods()
    targets = targets_for(profile)
    choice = choose_foods(table, profile)
    days = plan_week(profile, targets, choice.foods)
    if days is None:
        raise PermanentError("plan_infeasible", _why_not(profile, table))
    return MealPlanResult(
        targets=_targets(targets),
        days=[_day(number, chosen, profile) for number, chosen in enumerate(days, start=1)],
        shopping_list=shopping_list((each.option.food, each.grams) for day in days for each in day),
        warnings=[*targets.notes, *_warnings(profile, choice)],
        disclaimer=PLAN_DISCLAIMER,
    )


def _why_not(profile: MealPlanInput, table: FoodTable) -> str:
    def is_possible(relaxed: MealPlanInput) -> bool:
        return plan_week(relaxed, targets_for(relaxed), choose_foods(table, relaxed).foods) is not None

    wishes = wishes_in_the_way(profile, is_possible)
    if not wishes:
        return "Com estas restrições juntas não consigo montar um plano equilibrado. Procure um nutricionista."
    return (
        f"Não consigo montar um plano com todos os pedidos. Daria certo se você abrisse mão de: {'; ou '.join(wishes)}."
    )


def _warnings(profile: MealPlanInput, choice: Choice) -> list[str]:
    warnings = [f"Não reconheci “{dislike}” como alimento; ficou de fora." for dislike in choice.not_recognised]
    if is_short_of_mains(choice.foods, profile.diet):
        warnings.append("Com estas restrições há poucos pratos principais: alguns se repetem em dias seguidos.")
    if not any(BEANS in food.roles for food in choice.foods):
        warnings.append("Sem feijão nem outras leguminosas, o almoço vem sem elas.")
    return warnings


def _targets(targets: Targets) -> PlanTargets:
    return PlanTargets(
        resting_kcal=round(targets.resting_kcal),
        spent_kcal=round(targets.spent_kcal),
        kcal=round(targets.kcal),
        protein=_bounds(targets.protein),
        carbohydrate=_bounds(targets.carbohydrate),
        fat=_bounds(targets.fat),
    )


def _bounds(grams: Range) -> Bounds:
    return Bounds(low=round(grams[0], 1), high=round(grams[1], 1))


def _day(number: int, chosen: Sequence[Chosen], profile: MealPlanInput) -> PlannedDay:
    meals = [
        _meal([each for each in chosen if each.option.meal == pattern.meal])
        for pattern in meals_of_a_day(profile.meals_per_day, profile.diet)
    ]
    return PlannedDay(day=number, meals=meals, totals=total_of((each.option.food, each.grams) for each in chosen))


def _meal(chosen: Sequence[Chosen]) -> PlannedMeal:
    foods = [
        PlannedFood(
            food_id=each.option.food.id,
            name=each.option.food.name,
            grams=each.grams,
            amount=spoken(each.option.portions, each.steps),
        )
        for each in chosen
    ]
    kcal = sum(each.steps * each.option.per_step("kcal") for each in chosen)
    return PlannedMeal(meal=chosen[0].option.meal, foods=foods, kcal=round(kcal, 1))
