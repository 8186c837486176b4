"""The photo of a meal: what the model names is computed by code, hints are hints, and nothing is made up."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import pytest
from PIL import Image

from analysis_worker import JobContext, PermanentError
from maxnutrition.contracts.sofia_image import EXAMPLE_INPUT, EXAMPLE_RESULT, SofiaImageInput, SofiaImageResult
from maxnutrition.detection.hints import Detection, Detections, Hints, HintsUnavailable
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers.sofia_image import meal_photos, sofia_image
from maxnutrition.prompts.foods import SeenFood, SeenFoods
from maxnutrition.providers.request import FormError, ModelReply, ModelRequest, T
from maxnutrition.providers.yolo import FOOD, Profile, Yolo
from tests.unit.maxnutrition.fakes import StoredFiles
from tests.unit.providers.doubles import NO_MODELS, ScriptedModels, context_for

pytestmark = pytest.mark.anyio

foods = core_foods()
REQUEST = SofiaImageInput.model_validate({"file": {"path": "u/photo"}, "meal": "lunch"})


class Detector(Yolo):
    def __init__(self, hints: Hints) -> None:
        self.hints = hints

    async def detect(self, image: bytes, profile: Profile = FOOD) -> Hints:
        del image, profile
        return self.hints


def photo() -> bytes:
    encoded = BytesIO()
    Image.new("RGB", (64, 48), "white").save(encoded, "PNG")
    return encoded.getvalue()


def seen(*items: tuple[str, float], unlisted: Sequence[str] = ()) -> ScriptedModels:
    named = [SeenFood(food_id=food_id, grams=grams, confidence=0.8) for food_id, grams in items]
    return ScriptedModels(SeenFoods(is_food=True, items=named, unlisted=list(unlisted)).model_dump_json())


async def run(models: ScriptedModels, yolo: Yolo | None = None) -> SofiaImageResult:
    context, _ = context_for("sofia_image")
    handler = sofia_image(meal_photos(StoredFiles({"u/photo": photo()}), models, foods, yolo))
    return await handler.run(REQUEST, context)


def test_the_examples_are_valid() -> None:
    SofiaImageInput.model_validate(EXAMPLE_INPUT)
    SofiaImageResult.model_validate(EXAMPLE_RESULT)


async def test_the_model_names_grams_and_code_computes_the_nutrients() -> None:
    models = seen(("arroz-branco", 150), ("frango-grelhado", 100))
    result = await run(models)
    assert [(item.food_id, item.grams, item.meal, item.derivation) for item in result.items] == [
        ("arroz-branco", 150, "lunch", "model"),
        ("frango-grelhado", 100, "lunch", "model"),
    ]
    expected = foods["arroz-branco"].nutrients(150).kcal, foods["frango-grelhado"].nutrients(100).kcal
    assert result.totals.amounts.kcal == pytest.approx(sum(kcal or 0 for kcal in expected), abs=0.2)
    assert (result.is_food, result.hinted, result.warnings) == (True, False, [])
    (request,) = models.requests
    assert request.messages[0].images[0].startswith(b"\xff\xd8\xff")
    assert SofiaImageResult.model_validate_json(result.model_dump_json()) == result


async def test_what_the_detector_saw_is_told_as_foods_of_the_table_where_it_has_them() -> None:
    hints = Detections(
        (Detection("banana", None, 0.9, None, True), Detection("chair", None, 0.8, None, False)), model_version="v1"
    )
    models = seen(("banana", 80))
    result = await run(models, Detector(hints))
    told = models.requests[0].messages[0].text.partition("detector")[2]
    assert "banana" in told
    assert "90%" in told
    assert "chair" not in told
    assert result.hinted


async def test_without_the_detector_the_photo_is_read_all_the_same_and_says_so() -> None:
    unavailable = HintsUnavailable("the detector answered 500")
    result = await run(seen(("arroz-branco", 150)), Detector(unavailable))
    assert len(result.items) == 1
    assert not result.hinted
    assert unavailable.message in result.warnings


async def test_what_is_in_no_table_is_named_and_counts_for_nothing() -> None:
    result = await run(seen(unlisted=["pequi"]))
    assert (result.is_food, result.items, result.totals.amounts.kcal) == (True, [], 0)
    assert any("pequi" in warning for warning in result.warnings)


async def test_a_photo_without_food_says_so() -> None:
    result = await run(seen())
    assert not result.is_food
    assert any("Não vi comida" in warning for warning in result.warnings)


async def test_a_model_that_sees_nothing_is_asked_for_grams_of_what_the_detector_saw() -> None:
    class Blind(ScriptedModels):
        async def generate(self, request: ModelRequest[T], context: JobContext) -> ModelReply[T]:
            if request.messages[0].images:
                raise PermanentError("provider_not_configured", "Defina MAXNUTRITION_OPENAI_VISION_MODEL.")
            return await super().generate(request, context)

    hints = Detections((Detection("banana", None, 0.9, None, True),), model_version="v1")
    models = Blind('{"items": [{"food_id": "banana", "grams": 90}]}')
    result = await run(models, Detector(hints))
    assert [(item.food_id, item.grams, item.confidence) for item in result.items] == [("banana", 90, 0.4)]
    assert any("Nenhum modelo viu" in warning for warning in result.warnings)
    assert result.prompt_version == "sofia_hints.v1"
    (request,) = models.requests
    with pytest.raises(FormError, match="food_id"):
        request.form.parse('{"items": [{"food_id": "arroz-branco", "grams": 90}]}')


async def test_without_a_provider_the_error_names_the_settings() -> None:
    with pytest.raises(PermanentError, match="MAXNUTRITION_GEMINI_API_KEY") as caught:
        await run(NO_MODELS)
    assert caught.value.code == "provider_not_configured"
