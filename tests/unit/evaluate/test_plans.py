"""The judge of plans finds what is wrong with them."""

from collections.abc import Callable
from typing import Any

import pytest

from maxnutrition.contracts.meal_plan import MealPlanInput, MealPlanResult
from maxnutrition.evaluate.plans import judge, problems_of, read_profiles
from maxnutrition.meal_plans.planning import plan_meals

PROFILE = MealPlanInput(sex="female", age=30, weight_kg=60, height_cm=165, days=2, avoid=["lactose"])
PLAN = plan_meals(PROFILE)


def spoiled(spoil: Callable[[dict[str, Any]], object]) -> list[str]:
    document = PLAN.model_dump()
    spoil(document)
    return problems_of(PROFILE, MealPlanResult.model_validate(document))


def lunch(document: dict[str, Any], day: int = 0) -> list[dict[str, Any]]:
    meals = {meal["meal"]: meal["foods"] for meal in document["days"][day]["meals"]}
    foods: list[dict[str, Any]] = meals["lunch"]
    return foods


def food(food_id: str, grams: float) -> dict[str, Any]:
    return {"food_id": food_id, "name": food_id, "grams": grams, "amount": "1 × porção"}


def test_an_untouched_plan_has_no_problems() -> None:
    assert problems_of(PROFILE, PLAN) == []


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda plan: plan["days"].pop(), "days are missing"),
        (lambda plan: plan["days"][0]["meals"].pop(), "has the meals"),
        (lambda plan: lunch(plan).append(dict(lunch(plan)[0])), "a food twice"),
        (lambda plan: lunch(plan)[0].update(grams=lunch(plan)[0]["grams"] + 200), "kcal for"),
        (lambda plan: lunch(plan).append(food("leite", 200)), "leite is not to be eaten"),
        (lambda plan: lunch(plan).append(food("farinha-mandioca", 16)), "is no part of a meal"),
        (lambda plan: lunch(plan).__delitem__(slice(1, 3)), "lacks starch, salad or a main dish"),
        (lambda plan: lunch(plan)[0].update(grams=33.3), "are no half measures"),
        (lambda plan: lunch(plan)[0].update(grams=1000), "are too much"),
        (lambda plan: plan["shopping_list"].pop(), "the shopping list has None"),
        (lambda plan: plan["days"][1].update(meals=plan["days"][0]["meals"]), "days 1 and 2 share"),
    ],
)
def test_a_broken_promise_is_found(spoil: Callable[[dict[str, Any]], object], problem: str) -> None:
    assert any(problem in found for found in spoiled(spoil)), spoiled(spoil)


def test_there_are_twenty_very_different_people() -> None:
    people = [case.input for case in read_profiles()]
    assert len(people) >= 20
    assert {person.diet for person in people} == {"omnivore", "vegetarian", "vegan"}
    assert {person.goal for person in people} == {"lose", "keep", "gain"}
    assert {person.meals_per_day for person in people} == {3, 4, 5, 6}
    assert {person.days for person in people} == {7}


@pytest.mark.parametrize("name", ["vegan without gluten", "athlete", "small woman at the least energy"])
def test_hard_cases_get_a_plan_that_keeps_every_promise(name: str) -> None:
    [person] = [case.input for case in read_profiles() if case.name == name]
    assert judge(person) == []
