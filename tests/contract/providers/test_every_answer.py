"""One suite for every provider: what the gateway makes of the same answers in each one's words."""

from __future__ import annotations

import json
import logging
from uuid import uuid4

import pytest
from loguru import logger

from analysis_worker import PermanentError, RetryableError
from maxnutrition.providers.opening import open_models
from tests.contract.providers.dialects import (
    DIALECTS,
    KEY,
    OPENAI,
    USAGE,
    settings_for,
)
from tests.contract.providers.server import html, running_server, status, stream
from tests.contract.providers.serving import CLOSED_PORT, Dialect, serving
from tests.unit.providers.doubles import PLATE, Clock, Plate, context_for, plate_request, text_request

pytestmark = pytest.mark.anyio


async def test_an_answer_becomes_the_model_asked_for(dialect: Dialect) -> None:
    context, recorded = context_for("sofia_image")
    async with serving(dialect, dialect.answer(PLATE[:20], PLATE[20:])) as (models, server):
        reply = await models.generate(plate_request(), context)
    assert reply.output == Plate.model_validate_json(PLATE)
    assert reply.provider == dialect.name
    [asked] = server.asked
    assert dialect.system_and_texts(asked) == ("Liste os alimentos.", ["arroz"])
    assert dialect.schema(asked)["properties"]["foods"]["items"]["properties"]["grams"] == {"type": "integer"}
    assert recorded.sum_of("input_tokens") == USAGE[0]
    assert recorded.sum_of("output_tokens") == USAGE[2]


async def test_text_is_heard_while_it_is_written(dialect: Dialect) -> None:
    heard: list[str] = []

    async def listen(text: str) -> None:
        heard.append(text)

    context, _ = context_for("unified_assistant")
    async with serving(dialect, dialect.answer("Olá", ", tudo", " bem?")) as (models, server):
        reply = await models.generate(text_request(listen), context)
    assert heard == ["Olá", "Olá, tudo", "Olá, tudo bem?"]
    assert reply.output == "Olá, tudo bem?"
    assert dialect.schema(server.asked[0]) is None


async def test_an_answer_survives_any_split_of_its_bytes(dialect: Dialect) -> None:
    whole = b"".join(dialect.chunks(["Pão de queijo é ótimo 🧀"], "stop"))
    context, _ = context_for("unified_assistant")
    bytewise = stream([whole[at : at + 1] for at in range(len(whole))], dialect.content_type)

    async def listen(text: str) -> None:
        del text

    async with serving(dialect, bytewise) as (models, _):
        reply = await models.generate(text_request(listen), context)
    assert reply.output == "Pão de queijo é ótimo 🧀"


async def test_images_are_sent_as_jpeg(dialect: Dialect) -> None:
    context, _ = context_for("sofia_image")
    async with serving(dialect, dialect.answer(PLATE)) as (models, server):
        await models.generate(plate_request(images=(b"\xff\xd8\xffjpeg",)), context)
    sent = json.dumps(server.asked[0].body).translate(str.maketrans("-_", "+/"))  # the Gemini library writes base64url
    assert "/9j/anBlZw==" in sent


async def test_neither_keys_nor_words_get_into_logs_or_errors(
    dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, level=0, format="{message} {extra} {exception}")
    script = (status(400, f'{{"error": {{"code": 400, "message": "{KEY} arroz"}}}}'), dialect.answer("{arroz"))
    context, _ = context_for("sofia_image")
    errors = []
    try:
        with caplog.at_level(logging.DEBUG):
            async with serving(dialect, *script) as (models, _):
                for _ in range(2):
                    with pytest.raises((PermanentError, RetryableError)) as caught:
                        await models.generate(plate_request(), context)
                    errors.append(repr(caught.value) + repr(caught.value.__cause__) + str(caught.value))
    finally:
        logger.remove(sink)
    assert len(lines) == 2
    told = "".join([*lines, *errors, caplog.text])
    assert KEY not in told
    assert "{arroz" not in told


async def test_a_page_in_place_of_an_answer_is_no_answer(dialect: Dialect) -> None:
    context, _ = context_for("sofia_image")
    async with serving(dialect, html(200)) as (models, _):
        with pytest.raises(RetryableError):
            await models.generate(plate_request(), context)


async def test_a_truncated_answer_gets_one_larger_try(dialect: Dialect) -> None:
    context, recorded = context_for("sofia_image")
    script = (dialect.answer(PLATE[:15], finish="length"), dialect.answer(PLATE))
    async with serving(dialect, *script) as (models, server):
        reply = await models.generate(plate_request(), context)
    assert reply.output == Plate.model_validate_json(PLATE)
    assert [dialect.room(asked) for asked in server.asked] == [100, 400]
    assert recorded.sum_of("output_tokens") == 2 * USAGE[2]


async def test_of_truncated_text_the_whole_sentences_are_kept(dialect: Dialect) -> None:
    async def listen(text: str) -> None:
        del text

    context, _ = context_for("unified_assistant")
    script = (dialect.answer("Oi.", finish="length"), dialect.answer("...", finish="length"), dialect.answer("Tchau"))
    async with serving(dialect, *script) as (models, server):
        whole = await models.generate(text_request(listen), context)
        again = await models.generate(text_request(listen), context)
    assert (whole.output, again.output, len(server.asked)) == ("Oi.", "Tchau", 3)


async def test_invalid_json_is_repaired_with_its_problems(dialect: Dialect) -> None:
    context, recorded = context_for("sofia_image")
    wrong = '{"foods": [{"name": "arroz", "grams": "muito"}]}'
    async with serving(dialect, dialect.answer(wrong), dialect.answer(PLATE)) as (models, server):
        reply = await models.generate(plate_request(), context)
    assert reply.output == Plate.model_validate_json(PLATE)
    _, texts = dialect.system_and_texts(server.asked[1])
    assert texts[:2] == ["arroz", wrong]
    assert "foods.0.grams" in texts[2]
    assert recorded.sum_of("requests") == 2


async def test_a_form_that_is_wrong_twice_goes_to_the_next_provider(dialect: Dialect) -> None:
    context, recorded = context_for("sofia_image")
    other: Dialect = next(other for other in DIALECTS if other.name != dialect.name)
    async with running_server(dialect.answer("nada")) as first, running_server(other.answer(PLATE)) as second:
        settings = settings_for(
            **dialect.settings(first.url), **other.settings(second.url), provider_order=(dialect.name, other.name)
        )
        async with open_models(settings, CLOSED_PORT, lambda: "", Clock()) as models:
            reply = await models.generate(plate_request(), context)
    assert reply.provider == other.name
    assert (len(first.asked), len(second.asked), recorded.sum_of("requests")) == (2, 1, 3)


async def test_blocked_content_fails_for_good_without_asking_others() -> None:
    for dialect in (DIALECTS[0], OPENAI):
        context, _ = context_for("sofia_image", uuid4())
        async with serving(dialect, dialect.answer(finish="blocked")) as (models, server):
            with pytest.raises(PermanentError) as caught:
                await models.generate(plate_request(), context)
        assert caught.value.code == "answer_blocked"
        assert len(server.asked) == 1
