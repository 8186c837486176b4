"""A real model behind a real server: what it says is nonsense, but how it says it is not."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import anyio
import pytest
from pydantic import BaseModel, Field

from maxnutrition.contracts.chat import UnifiedAssistantInput
from maxnutrition.contracts.sofia_image import SofiaImageInput
from maxnutrition.detection.hints import Detection, Detections
from maxnutrition.foods.table import core_foods
from maxnutrition.handlers.sofia_image import meal_photos
from maxnutrition.handlers.unified_assistant import unified_assistant
from maxnutrition.providers.forms import PlainText, Structured
from maxnutrition.providers.opening import open_models
from maxnutrition.providers.request import Message, ModelRequest
from tests.contract.providers.dialects import settings_for
from tests.unit.handlers.test_sofia_image import Detector, photo
from tests.unit.maxnutrition.fakes import StoredFiles
from tests.unit.providers.doubles import Clock, context_for

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]


class ShortFood(BaseModel):
    name: Literal["rice", "beans"]
    grams: Annotated[int, Field(ge=1, le=500)]


class ShortPlate(BaseModel):
    """Nothing in it can be long: a toy does not know when to stop."""

    foods: Annotated[list[ShortFood], Field(min_length=1, max_length=2)]


_SERVER = Path(__file__).with_name("small_model.py")


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    pytest.importorskip("xllamacpp", reason="needs the development dependency xllamacpp")
    process = subprocess.Popen(
        [sys.executable, _SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def test_a_chat_streams_its_text_and_counts_its_tokens(model_url: str) -> None:
    heard: list[str] = []

    async def listen(text: str) -> None:
        heard.append(text)

    request = ModelRequest(
        "unified_assistant", "You are brief.", (Message("user", "Name a fruit."),), PlainText(listen), 24
    )
    context, recorded = context_for("unified_assistant")
    settings = settings_for(openai_url=model_url, openai_model="smollm2", idle_seconds=60)
    async with open_models(settings, model_url, lambda: "", Clock()) as models:
        reply = await models.generate(request, context)
    assert len(heard) > 3
    restarts = sum(not later.startswith(earlier) for earlier, later in pairwise(heard))
    assert restarts == recorded.sum_of("requests") - 1
    assert heard[-1].startswith(reply.output)
    assert reply.output
    assert recorded.sum_of("output_tokens") >= len(reply.output.split())


async def test_a_structured_answer_fits_its_schema(model_url: str) -> None:
    messages = (Message("user", "I ate 100 g of rice and 50 g of beans. List the foods with their grams."),)
    request = ModelRequest("sofia_image", "You list foods.", messages, Structured(ShortPlate), 200)
    context, recorded = context_for("sofia_image")
    settings = settings_for(openai_url=model_url, openai_model="smollm2", idle_seconds=60)
    async with open_models(settings, model_url, lambda: "", Clock()) as models:
        reply = await models.generate(request, context)
    assert isinstance(reply.output, ShortPlate)
    assert recorded.sum_of("input_tokens") > 10


async def test_a_meal_that_a_detector_saw_gets_its_grams_from_a_real_model(model_url: str) -> None:
    hints = Detections(
        (Detection("banana", None, 0.9, None, True), Detection("pizza", None, 0.8, None, True)), model_version="v1"
    )
    settings = settings_for(openai_url=model_url, openai_model="smollm2", idle_seconds=60, call_seconds=60)
    context, recorded = context_for("sofia_image")
    request = SofiaImageInput.model_validate({"file": {"path": "u/photo"}, "meal": "snack"})
    async with open_models(settings, model_url, lambda: "", Clock()) as models:
        photos = meal_photos(StoredFiles({"u/photo": photo()}), models, core_foods(), Detector(hints))
        result = await photos.run(request, context)
    assert result.items
    assert {item.food_id for item in result.items} <= {"banana", "pizza-mussarela", "pizza"}
    assert result.totals.amounts.kcal
    assert result.model == "smollm2"
    assert recorded.sum_of("output_tokens") > 0


async def test_a_cancelled_call_leaves_the_server_free_for_the_next(model_url: str) -> None:
    async def listen(text: str) -> None:
        scope.cancel(text)

    long = ModelRequest(
        "unified_assistant", "You are long.", (Message("user", "Count to 9000."),), PlainText(listen), 4000
    )
    context, _ = context_for("unified_assistant", deadline=math.inf)
    settings = settings_for(openai_url=model_url, openai_model="smollm2", idle_seconds=60)
    async with open_models(settings, model_url, lambda: "", Clock()) as models:
        with anyio.CancelScope() as scope:
            await models.generate(long, context)
        assert scope.cancelled_caught
        with anyio.fail_after(20):
            short = ModelRequest("unified_assistant", "Be brief.", (Message("user", "Hi"),), PlainText(_ignore), 4)
            assert (await models.generate(short, context)).output


async def _ignore(text: str) -> None:
    del text


async def test_the_chat_handler_shows_what_a_real_model_writes(model_url: str) -> None:
    """Cancelled with the first sentence: a toy does not know when to stop."""
    request = UnifiedAssistantInput(persona="sofia", message="Oi! Me dê uma ideia de lanche.")
    settings = settings_for(openai_url=model_url, openai_model="smollm2", idle_seconds=60, call_seconds=60)
    context, recorded = context_for("unified_assistant")

    async def report_progress(progress: float, phase: str, partial: str | None = None) -> None:
        recorded.progress.append((progress, phase, partial))
        if partial:
            scope.cancel("seen")

    async with open_models(settings, model_url, lambda: "", Clock()) as models:
        with anyio.CancelScope() as scope:
            await unified_assistant(models).run(request, replace(context, report_progress=report_progress))
    assert [phase for _, phase, _ in recorded.progress][:2] == ["pensando", "escrevendo"]
    assert recorded.sum_of("requests") == 1
