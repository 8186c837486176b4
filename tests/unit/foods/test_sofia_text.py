import pytest
from pydantic import ValidationError

from analysis_worker import RetryableError
from maxnutrition.contracts.sofia_text import EXAMPLE_INPUT, EXAMPLE_RESULT, SofiaTextInput, SofiaTextResult
from maxnutrition.foods.meal_text.report import total_of
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers.sofia_text import meal_texts, sofia_text
from maxnutrition.prompts.foods import NamedFood, NamedFoods
from tests.unit.providers.doubles import NO_MODELS, ScriptedModels, context_for

pytestmark = pytest.mark.anyio

foods = core_foods()


async def run(text: str, models: ScriptedModels = NO_MODELS) -> SofiaTextResult:
    context, _ = context_for("sofia_text")
    handler = sofia_text(meal_texts(foods, models))
    return await handler.run(SofiaTextInput(text=text, meal="lunch"), context)


def model() -> ScriptedModels:
    """Takes the first span for green beans."""
    named = NamedFood(span=1, food_id="vagem", grams=100.0, confidence=0.5)
    return ScriptedModels(NamedFoods(items=[named]).model_dump_json())


def test_the_examples_are_valid() -> None:
    assert SofiaTextInput.model_validate(EXAMPLE_INPUT).meal == "lunch"
    assert SofiaTextResult.model_validate(EXAMPLE_RESULT).items[0].food_id in foods


@pytest.mark.parametrize(
    "bad", [{"text": ""}, {"text": "x" * 2001}, {"text": "x", "locale": "en-US"}, {"text": "x", "y": 1}, {}]
)
def test_bad_inputs_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SofiaTextInput.model_validate(bad)


async def test_a_meal_becomes_items_and_totals() -> None:
    result = await run("2 colheres de arroz, 100 g de frango grelhado e um copo de suco")
    assert [(item.food_id, item.grams, item.meal) for item in result.items] == [
        ("arroz-branco", 50, "lunch"),
        ("frango-grelhado", 100, "lunch"),
        ("suco-laranja", 200, "lunch"),
    ]
    assert result.totals.amounts.kcal == pytest.approx(64 + 159 + 66, abs=1)
    assert result.leftovers == []
    assert result.disclaimer
    assert SofiaTextResult.model_validate_json(result.model_dump_json()) == result


async def test_totals_say_which_nutrients_they_do_not_know() -> None:
    result = await run("100 g de arroz e 1 banana")
    assert "vitamin_c" in result.totals.partly_unknown
    assert "kcal" not in result.totals.partly_unknown
    assert result.items[0].nutrients.vitamin_c is None


async def test_without_a_model_what_is_left_over_is_reported() -> None:
    result = await run("arroz e aspargos")
    assert [leftover.text for leftover in result.leftovers] == ["aspargos"]
    assert any("aspargos" in warning for warning in result.warnings)
    assert any("não está configurada" in warning for warning in result.warnings)


async def test_a_model_is_asked_for_the_leftovers_and_nothing_else() -> None:
    asked = model()
    assert (await run("arroz", asked)).warnings == []
    assert asked.requests == []
    result = await run("arroz e aspargos e xyzzy", asked)
    (request,) = asked.requests
    spans = request.messages[0].text.partition("trechos")[2]
    assert "aspargos" in spans
    assert "arroz" not in spans
    assert [(item.food_id, item.derivation, item.said) for item in result.items] == [
        ("arroz-branco", "portion", "arroz"),
        ("vagem", "model", "aspargos"),
    ]


async def test_what_the_model_leaves_open_too_stays_reported() -> None:
    result = await run("100 g de aspargos, xyzzy", model())
    assert [leftover.text for leftover in result.leftovers] == ["xyzzy"]


async def test_a_model_that_fails_costs_nothing_that_the_parser_read() -> None:
    result = await run("arroz e aspargos", ScriptedModels(RetryableError("provider_unavailable", "Não respondeu.")))
    assert [item.food_id for item in result.items] == ["arroz-branco"]
    assert [leftover.text for leftover in result.leftovers] == ["aspargos"]
    assert any("não respondeu" in warning for warning in result.warnings)


async def test_a_text_without_food_says_so() -> None:
    result = await run("bom dia")
    assert (result.items, result.confidence) == ([], 0)
    assert result.totals.amounts.kcal == 0
    assert result.warnings == ["Não encontrei alimentos no texto."]


def test_a_total_over_foods_is_computed_from_grams() -> None:
    total = total_of([(foods["arroz-branco"], 200), (foods["azeite"], 10)])
    assert total.amounts.kcal == pytest.approx(2 * 128 + 88.4)
