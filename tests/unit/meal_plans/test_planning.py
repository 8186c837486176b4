from time import process_time

import pytest
from pydantic import ValidationError

from analysis_worker import PermanentError
from analysis_worker.processes import open_processes
from maxnutrition.contracts.meal_plan import EXAMPLE_INPUT, EXAMPLE_RESULT, MealPlanInput, MealPlanResult
from maxnutrition.evaluate.plans import problems_of
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers.meal_plan import meal_plan
from maxnutrition.meal_plans.candidates import choose_foods
from maxnutrition.meal_plans.planning import plan_meals
from maxnutrition.meal_plans.relaxing import wishes_in_the_way

SPARE = {"sex": "female", "age": 30, "weight_kg": 60, "height_cm": 165, "days": 2}

foods = core_foods()


def profile(**changes: object) -> MealPlanInput:
    return MealPlanInput.model_validate(SPARE | changes)


def test_the_examples_are_valid() -> None:
    assert MealPlanInput.model_validate(EXAMPLE_INPUT).diet == "vegetarian"
    assert MealPlanResult.model_validate(EXAMPLE_RESULT).shopping_list[0].food_id in foods


@pytest.mark.parametrize(
    "bad",
    [
        {"age": 17},
        {"weight_kg": 20},
        {"days": 8},
        {"meals_per_day": 2},
        {"dislikes": ["x"]},
        {"allergies": ["pollen"]},
        {"pregnant": True},
    ],
)
def test_bad_profiles_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        profile(**bad)


def test_a_week_keeps_every_promise_in_time() -> None:
    plan_meals(profile(days=1))
    started = process_time()
    wanted = profile(days=7, meals_per_day=5, goal="lose")
    plan = plan_meals(wanted)
    assert process_time() - started < 5
    assert problems_of(wanted, plan) == []
    assert plan.disclaimer
    assert MealPlanResult.model_validate_json(plan.model_dump_json()) == plan


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan_meals(profile(seed=7)) == plan_meals(profile(seed=7))
    assert plan_meals(profile(seed=7)).days != plan_meals(profile(seed=8)).days


@pytest.mark.parametrize("meals", [3, 4, 5, 6])
def test_a_day_has_as_many_meals_as_asked_for(meals: int) -> None:
    [day] = plan_meals(profile(days=1, meals_per_day=meals)).days
    assert len(day.meals) == meals
    assert {"breakfast", "lunch", "dinner"} <= {meal.meal for meal in day.meals}


@pytest.mark.parametrize(
    ("dislike", "gone", "kept"),
    [
        ("peixe", {"salmao", "tilapia", "sardinha", "atum"}, {"frango-grelhado"}),
        ("carne vermelha", {"bife-grelhado", "lombo", "carne-moida"}, {"frango-grelhado", "tilapia"}),
        ("frango", {"frango-grelhado", "coxa-frango"}, {"bife-grelhado"}),
        ("feijao", {"feijao-carioca", "feijao-preto"}, {"lentilha"}),
        ("beringela", {"berinjela"}, {"abobrinha"}),
        ("salmao", {"salmao"}, {"tilapia"}),
    ],
)
def test_dislikes_take_away_what_is_meant_and_no_more(dislike: str, gone: set[str], kept: set[str]) -> None:
    left = {food.id for food in choose_foods(foods, profile(dislikes=[dislike])).foods}
    assert gone.isdisjoint(left)
    assert kept <= left


def test_restrictions_leave_nothing_forbidden() -> None:
    vegan = choose_foods(foods, profile(diet="vegan")).foods
    assert {food.diet for food in vegan} == {"vegan"}
    free = choose_foods(foods, profile(avoid=["gluten", "lactose"], allergies=["egg"])).foods
    assert [food.id for food in free if food.contains or "egg" in food.allergens] == []


def test_a_dislike_that_names_no_food_is_told() -> None:
    plan = plan_meals(profile(days=1, dislikes=["blorgs"]))
    assert any("blorgs" in warning for warning in plan.warnings)


def test_who_eats_no_legumes_gets_lunch_without_and_is_told() -> None:
    plan = plan_meals(profile(days=1, dislikes=["feijão", "lentilha", "grão de bico"]))
    assert any("feijão" in warning for warning in plan.warnings)


def test_few_main_dishes_are_repeated_and_that_is_told() -> None:
    plan = plan_meals(profile(diet="vegan", allergies=["soy"]))
    assert any("poucos pratos principais" in warning for warning in plan.warnings)


def test_an_impossible_plan_names_the_wish_in_the_way() -> None:
    with pytest.raises(PermanentError) as caught:
        plan_meals(profile(dislikes=["jiló", "salada"]))
    assert caught.value.code == "plan_infeasible"
    assert "não comer “salada”" in caught.value.message
    assert "jiló" not in caught.value.message


def test_only_wishes_are_given_up_and_one_at_a_time() -> None:
    strict = profile(diet="vegan", dislikes=["alface", "tomate"], goal="lose", allergies=["soy"], avoid=["gluten"])
    tried: list[MealPlanInput] = []
    assert wishes_in_the_way(strict, lambda each: not tried.append(each)) != []  # type: ignore[func-returns-value]
    for relaxed in tried:
        assert (relaxed.allergies, relaxed.avoid) == (strict.allergies, strict.avoid)
        assert sum(getattr(relaxed, name) != getattr(strict, name) for name in MealPlanInput.model_fields) == 1


def test_the_shopping_list_counts_pieces_and_weighs_raw() -> None:
    plan = plan_meals(profile(days=7))
    by_id = {item.food_id: item for item in plan.shopping_list}
    eaten = sum(
        food.grams for day in plan.days for meal in day.meals for food in meal.foods if food.food_id == "arroz-branco"
    )
    assert by_id["arroz-branco"].grams == pytest.approx(0.4 * eaten, abs=10)
    assert by_id["arroz-branco"].quantity.endswith("(peso cru)")
    assert any(item.quantity.endswith(("unidade", "unidades")) for item in plan.shopping_list)


@pytest.mark.anyio
async def test_the_handler_computes_in_a_process_of_its_own() -> None:
    handler = meal_plan()
    request = profile(days=1)
    async with open_processes() as processes:
        found = await processes.call(handler.run, request)
    assert MealPlanResult.model_validate(found) == plan_meals(request)
