"""What only Ollama does."""

from __future__ import annotations

import json

import anyio
import pytest
from aiohttp import web

from analysis_worker import RetryableError
from maxnutrition.providers.errors import ProviderDownError
from maxnutrition.providers.ollama import Ollama
from maxnutrition.providers.opening import open_models
from maxnutrition.providers.streams import provider_client
from tests.contract.providers.dialects import OLLAMA, OPENAI, settings_for
from tests.contract.providers.server import Asked, hang_after, html, running_server, status, stream
from tests.contract.providers.tls import TLS
from tests.unit.providers.doubles import PLATE, Clock, context_for, plate_request

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"


async def test_the_size_of_the_context_is_set() -> None:
    context, _ = context_for("sofia_image")
    async with running_server(OLLAMA.answer(PLATE)) as server:
        settings = settings_for(**OLLAMA.settings(server.url), ollama_context_tokens=4096)
        async with open_models(settings, NOWHERE, lambda: "", Clock()) as models:
            await models.generate(plate_request(), context)
    assert server.asked[0].path == "/api/chat"
    assert server.asked[0].body["options"]["num_ctx"] == 4096
    assert server.asked[0].body["model"] == "qwen3:4b"


async def test_an_error_in_the_stream_is_an_error_although_the_status_is_200() -> None:
    context, _ = context_for("sofia_image")
    reply = stream([b'{"message":{"content":"{"}}\n{"error":"model runner has stopped"}\n'], OLLAMA.content_type)
    async with running_server(reply) as server:
        settings = settings_for(**OLLAMA.settings(server.url))
        async with open_models(settings, NOWHERE, lambda: "", Clock()) as models:
            with pytest.raises(RetryableError):
                await models.generate(plate_request(), context)


async def test_a_full_server_leaves_the_job_to_the_next_provider() -> None:
    context, _ = context_for("sofia_image")
    async with running_server(status(503)) as full, running_server(OPENAI.answer(PLATE)) as other:
        settings = settings_for(
            **OLLAMA.settings(full.url), **OPENAI.settings(other.url), provider_order=("ollama", "openai")
        )
        async with open_models(settings, NOWHERE, lambda: "", Clock()) as models:
            reply = await models.generate(plate_request(), context)
    assert reply.provider == "openai"


async def test_no_more_calls_are_sent_at_once_than_the_server_takes() -> None:
    running, most = 0, 0

    async def slow(asked: Asked, request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(0.02)
        running -= 1
        return await OLLAMA.answer(PLATE)(asked, request)

    async with running_server(slow) as server:
        settings = settings_for(**OLLAMA.settings(server.url), ollama_parallel=2)
        async with open_models(settings, NOWHERE, lambda: "", Clock()) as models, anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(models.generate, plate_request(), context_for("sofia_image")[0])
    assert (most, len(server.asked)) == (2, 6)


async def test_waiting_for_a_turn_is_not_held_against_the_server() -> None:
    hanging = hang_after([], OLLAMA.content_type)
    async with running_server(hanging) as server:
        settings = settings_for(**OLLAMA.settings(server.url), breaker_failures=1, call_seconds=20)
        async with open_models(settings, NOWHERE, lambda: "", Clock()) as models, anyio.create_task_group() as group:
            group.start_soon(models.generate, plate_request(), context_for("sofia_image")[0])
            with anyio.fail_after(5):
                while not server.asked:  # noqa: ASYNC110 - the server has no event for "asked"
                    await anyio.sleep(0.01)
            for _ in range(2):
                late, recorded = context_for("sofia_image", deadline=anyio.current_time() + 1.1)
                with pytest.raises(RetryableError) as caught:
                    await models.generate(plate_request(), late)
                assert caught.value.delay_seconds is None
                assert recorded.usage == []
            group.cancel_scope.cancel()
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("loaded", "present", "readiness"),
    [(["m:latest"], ["m:latest"], "loaded"), ([], ["m:latest"], "present"), (["other"], ["other"], "missing")],
)
async def test_readiness_tells_loaded_from_present_from_missing(
    loaded: list[str], present: list[str], readiness: str
) -> None:
    listings = [json.dumps({"models": [{"name": name, "size": 1} for name in names]}) for names in (loaded, present)]
    replies = [status(200, listing) for listing in listings]
    async with running_server(*replies) as server, provider_client(5, TLS) as client:
        assert await Ollama(client, server.url, 2048).readiness("m") == readiness
    expected = ["/api/ps"] if readiness == "loaded" else ["/api/ps", "/api/tags"]
    assert [asked.path for asked in server.asked] == expected


async def test_a_server_that_is_away_is_not_ready() -> None:
    async with provider_client(5, TLS) as client:
        with pytest.raises(ProviderDownError):
            await Ollama(client, NOWHERE, 2048).readiness("m")
        async with running_server(html(502)) as server:
            with pytest.raises(ProviderDownError):
                await Ollama(client, server.url, 2048).readiness("m")
