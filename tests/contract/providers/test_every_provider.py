"""One suite for every provider: what the gateway makes of the same events in each one's words."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import anyio
import pytest
from loguru import logger

from analysis_worker import DeferredError, PermanentError, RetryableError
from maxnutrition.providers.opening import open_models
from maxnutrition.providers.request import Models
from tests.contract.providers.dialects import (
    DIALECTS,
    KEY,
    OPENAI,
    USAGE,
    GeminiDialect,
    OllamaDialect,
    OpenAiDialect,
    broken_off,
    settings_for,
    stalled,
)
from tests.contract.providers.server import Reply, ScriptedServer, html, running_server, status, stream
from tests.unit.providers.doubles import PLATE, Clock, Plate, context_for, plate_request, text_request

pytestmark = pytest.mark.anyio

Dialect = GeminiDialect | OpenAiDialect | OllamaDialect
CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.name)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen


@asynccontextmanager
async def serving(dialect: Dialect, *script: Reply, **settings: object) -> AsyncIterator[tuple[Models, ScriptedServer]]:
    """The dialect's provider alone, at a server with this script."""
    async with running_server(*script) as server:
        chosen = settings_for(**{**dialect.settings(server.url), **settings})
        async with open_models(chosen, CLOSED_PORT, lambda: "", Clock()) as models:
            yield models, server


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


async def test_too_many_requests_defer_the_job_and_those_after_it(dialect: Dialect) -> None:
    clock = Clock()
    context, _ = context_for("sofia_image")
    async with running_server(status(429, retry_after="34"), dialect.answer(PLATE)) as server:
        settings = settings_for(**dialect.settings(server.url), breaker_failures=1)
        async with open_models(settings, CLOSED_PORT, lambda: "", clock) as models:
            with pytest.raises(DeferredError) as first:
                await models.generate(plate_request(), context)
            clock.now += 10
            with pytest.raises(DeferredError) as second:
                await models.generate(plate_request(), context)
            assert len(server.asked) == 1
            clock.now += 24
            await models.generate(plate_request(), context)
    assert (first.value.code, first.value.delay_seconds, second.value.delay_seconds) == ("provider_busy", 34, 24)


@pytest.mark.parametrize("reply", [status(503), status(500), html(502), status(408)], ids=["503", "500", "502", "408"])
async def test_a_provider_that_is_down_is_worth_another_attempt(dialect: Dialect, reply: Reply) -> None:
    context, recorded = context_for("sofia_image")
    async with serving(dialect, reply) as (models, server):
        with pytest.raises(RetryableError) as caught:
            await models.generate(plate_request(), context)
    assert caught.value.code == "provider_unavailable"
    assert len(server.asked) == recorded.sum_of("requests") == 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 302])
async def test_a_refused_request_fails_for_good(dialect: Dialect, code: int) -> None:
    context, _ = context_for("sofia_image")
    async with serving(dialect, status(code, location="http://example.invalid/")) as (models, server):
        with pytest.raises(PermanentError) as caught:
            await models.generate(plate_request(), context)
    assert caught.value.code == "provider_refused"
    assert len(server.asked) == 1


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


async def test_silence_ends_after_the_idle_time(dialect: Dialect) -> None:
    context, _ = context_for("sofia_image")
    async with serving(dialect, stalled(dialect), idle_seconds=0.2) as (models, server):
        with pytest.raises(RetryableError) as caught:
            await models.generate(plate_request(), context)
        with anyio.fail_after(5):
            await server.asked[0].left.wait()
    assert caught.value.code == "provider_unavailable"


async def test_a_call_that_takes_too_long_ends(dialect: Dialect) -> None:
    context, _ = context_for("sofia_image")
    async with serving(dialect, stalled(dialect, "{"), call_seconds=0.2) as (models, server):
        with pytest.raises(RetryableError) as caught:
            await models.generate(plate_request(), context)
        with anyio.fail_after(5):
            await server.asked[0].left.wait()
    assert caught.value.code == "provider_unavailable"


async def test_a_cut_connection_is_tried_once_more(dialect: Dialect) -> None:
    context, recorded = context_for("sofia_image")
    async with serving(dialect, broken_off(dialect, "{"), dialect.answer(PLATE)) as (models, _):
        reply = await models.generate(plate_request(), context)
    assert reply.output == Plate.model_validate_json(PLATE)
    assert recorded.sum_of("requests") == 2


async def test_a_connection_cut_twice_is_left_to_the_next_attempt(dialect: Dialect) -> None:
    context, _ = context_for("sofia_image")
    async with serving(dialect, broken_off(dialect, "{")) as (models, server):
        with pytest.raises(RetryableError):
            await models.generate(plate_request(), context)
    assert len(server.asked) == 2


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


async def test_a_refused_connection_goes_to_the_next_provider(dialect: Dialect) -> None:
    context, _ = context_for("sofia_image")
    other: Dialect = next(other for other in DIALECTS if other.name != dialect.name)
    async with running_server(other.answer(PLATE)) as second:
        settings = settings_for(
            **dialect.settings(CLOSED_PORT), **other.settings(second.url), provider_order=(dialect.name, other.name)
        )
        async with open_models(settings, CLOSED_PORT, lambda: "", Clock()) as models:
            reply = await models.generate(plate_request(), context)
    assert reply.provider == other.name


@pytest.mark.parametrize("texts", [(), ("{",)], ids=["before the first byte of text", "mid-stream"])
async def test_cancelling_closes_the_connection(dialect: Dialect, texts: tuple[str, ...]) -> None:
    context, recorded = context_for("sofia_image")
    async with serving(dialect, stalled(dialect, *texts)) as (models, server), anyio.create_task_group() as group:

        async def ask() -> None:
            await models.generate(plate_request(), context)

        group.start_soon(ask)
        with anyio.fail_after(5):
            while not server.asked:  # noqa: ASYNC110 - the server has no event for "asked"
                await anyio.sleep(0.01)
            await anyio.sleep(0.05)
            group.cancel_scope.cancel()
    with anyio.fail_after(5):
        await server.asked[0].left.wait()
    assert recorded.sum_of("requests") == 1


async def test_cancelling_a_listener_closes_the_connection(dialect: Dialect) -> None:
    context, _ = context_for("unified_assistant")
    heard = anyio.Event()

    async def listen(text: str) -> None:
        heard.set()
        await anyio.sleep_forever()

    async with serving(dialect, stalled(dialect, "Olá")) as (models, server):
        async with anyio.create_task_group() as group:

            async def ask() -> None:
                await models.generate(text_request(listen), context)

            group.start_soon(ask)
            with anyio.fail_after(5):
                await heard.wait()
            group.cancel_scope.cancel()
        with anyio.fail_after(5):
            await server.asked[0].left.wait()


async def test_the_breaker_opens_and_lets_one_probe_find_that_all_is_well(dialect: Dialect) -> None:
    clock = Clock()
    context, _ = context_for("sofia_image")
    async with running_server(status(503), status(503), dialect.answer(PLATE)) as server:
        settings = settings_for(**dialect.settings(server.url), breaker_failures=2, breaker_seconds=30)
        async with open_models(settings, CLOSED_PORT, lambda: "", clock) as models:
            for _ in range(2):
                with pytest.raises(RetryableError):
                    await models.generate(plate_request(), context)
            clock.now += 10
            with pytest.raises(RetryableError) as open_circuit:
                await models.generate(plate_request(), context)
            assert len(server.asked) == 2
            clock.now += 20
            await models.generate(plate_request(), context)
            await models.generate(plate_request(), context)
    assert open_circuit.value.delay_seconds == 20
    assert len(server.asked) == 4


async def test_a_job_without_time_asks_nobody(dialect: Dialect) -> None:
    context, recorded = context_for("sofia_image", deadline=anyio.current_time() + 0.5)
    async with serving(dialect, dialect.answer(PLATE)) as (models, server):
        with pytest.raises(RetryableError):
            await models.generate(plate_request(), context)
    assert server.asked == []
    assert recorded.usage == []


async def test_blocked_content_fails_for_good_without_asking_others() -> None:
    for dialect in (DIALECTS[0], OPENAI):
        context, _ = context_for("sofia_image", uuid4())
        async with serving(dialect, dialect.answer(finish="blocked")) as (models, server):
            with pytest.raises(PermanentError) as caught:
                await models.generate(plate_request(), context)
        assert caught.value.code == "answer_blocked"
        assert len(server.asked) == 1
