"""One suite for every provider: what becomes of a job when providers fail, each in its own words."""

from __future__ import annotations

import anyio
import pytest

from analysis_worker import DeferredError, PermanentError, RetryableError
from maxnutrition.providers.opening import open_models
from tests.contract.providers.dialects import (
    DIALECTS,
    broken_off,
    settings_for,
    stalled,
)
from tests.contract.providers.server import Reply, html, running_server, status
from tests.contract.providers.serving import CLOSED_PORT, Dialect, serving
from tests.unit.providers.doubles import PLATE, Clock, Plate, context_for, plate_request, text_request

pytestmark = pytest.mark.anyio


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
