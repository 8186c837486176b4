"""Days of meals for a profile, computed in a process of its own: the optimiser does not listen while it works."""

from __future__ import annotations

from analysis_worker import ProcessHandler
from maxnutrition.contracts.meal_plan import MealPlanInput, MealPlanResult
from maxnutrition.meal_plans.planning import plan_meals


def meal_plan() -> ProcessHandler[MealPlanInput, MealPlanResult]:
    return ProcessHandler(type="meal_plan", input=MealPlanInput, result=MealPlanResult, run=plan_meals)
