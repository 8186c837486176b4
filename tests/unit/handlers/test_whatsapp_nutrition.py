"""A meal by WhatsApp: the reply fits, and tells what the diary gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analysis_worker import PermanentError
from maxnutrition.contracts.whatsapp import MAX_REPLY
from maxnutrition.contracts.whatsapp_nutrition import (
    EXAMPLE_INPUT,
    EXAMPLE_RESULT,
    WhatsappNutritionInput,
    WhatsappNutritionResult,
)
from maxnutrition.foods.meal_text.items import ParsedItem, ParsedMeal
from maxnutrition.foods.meal_text.report import report_meal
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers.sofia_image import meal_photos
from maxnutrition.handlers.sofia_text import meal_texts
from maxnutrition.handlers.whatsapp_nutrition import WhatsappMeals, whatsapp_nutrition, write_reply
from tests.unit.handlers.test_sofia_image import photo, seen
from tests.unit.maxnutrition.fakes import StoredFiles
from tests.unit.providers.doubles import NO_MODELS, ScriptedModels, context_for

anyio_test = pytest.mark.anyio
foods = core_foods()
FILE = {"path": "u/photo"}


async def run(models: ScriptedModels, **input: object) -> WhatsappNutritionResult:
    context, _ = context_for("whatsapp_nutrition")
    photos = meal_photos(StoredFiles({"u/photo": photo()}), models, foods, None)
    handler = whatsapp_nutrition(WhatsappMeals(photos, meal_texts(foods, models), foods))
    return await handler.run(WhatsappNutritionInput.model_validate(input), context)


def test_the_examples_are_valid() -> None:
    WhatsappNutritionInput.model_validate(EXAMPLE_INPUT)
    WhatsappNutritionResult.model_validate(EXAMPLE_RESULT)


def test_a_message_without_text_and_photo_is_refused() -> None:
    with pytest.raises(ValidationError, match="a text or a file"):
        WhatsappNutritionInput.model_validate({"meal": "lunch"})


@anyio_test
async def test_a_meal_in_words_needs_no_model() -> None:
    result = await run(NO_MODELS, text="almocei 100 g de arroz e 100 g de frango grelhado", meal="lunch")
    assert result.understood
    assert result.reply.startswith("*Almoço*\n• Arroz")
    assert f"*Total:* {result.totals.amounts.kcal:.0f} kcal" in result.reply
    assert [item.grams for item in result.items] == [100, 100]


@anyio_test
async def test_a_food_named_in_the_caption_is_not_counted_again_from_the_photo() -> None:
    models = seen(("arroz-branco", 180), ("frango-grelhado", 100))
    result = await run(models, text="50 g de arroz", file=FILE)
    assert [(item.food_id, item.grams) for item in result.items] == [("arroz-branco", 50), ("frango-grelhado", 100)]


@anyio_test
async def test_a_caption_that_is_not_about_food_leaves_no_trace_in_the_reply() -> None:
    result = await run(seen(("arroz-branco", 180)), text="bom dia", file=FILE)
    assert len(result.items) == 1
    assert "Não encontrei" not in result.reply


@anyio_test
async def test_what_holds_no_food_is_answered_with_how_to_ask() -> None:
    result = await run(NO_MODELS, text="bom dia")
    assert not result.understood
    assert "foto" in result.reply


@anyio_test
async def test_a_photo_without_a_provider_fails_for_good() -> None:
    with pytest.raises(PermanentError) as caught:
        await run(NO_MODELS, file=FILE)
    assert caught.value.code == "provider_not_configured"


@given(st.lists(st.tuples(st.sampled_from(list(foods)), st.floats(1, 5000)), min_size=1, max_size=40), st.text())
def test_the_reply_always_fits_and_always_has_the_total(eaten: list[tuple[object, float]], note: str) -> None:
    items = tuple(
        ParsedItem(food, grams, "x", "weight", "x", 0.9)  # type: ignore[arg-type]
        for food, grams in eaten
    )
    meal = report_meal(ParsedMeal(items, ()), None, [note * 20])
    reply = write_reply(meal.items, meal.totals, None, meal.warnings)
    assert len(reply) <= MAX_REPLY
    assert "*Total:*" in reply
