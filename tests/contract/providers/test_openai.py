"""What only OpenAI-compatible endpoints do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis_worker import DeferredError, PermanentError, RetryableError
from maxnutrition.providers.errors import ProviderNotConfiguredError
from maxnutrition.providers.opening import open_models
from tests.contract.providers.dialects import KEY, OPENAI, USAGE, settings_for
from tests.contract.providers.server import Asked, Reply, running_server, stream
from tests.unit.providers.doubles import PLATE, Clock, Recorded, context_for, plate_request

pytestmark = pytest.mark.anyio


def event(**body: Any) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


async def ask(reply: Reply, images: tuple[bytes, ...] = (), **settings: object) -> tuple[Asked, Recorded]:
    context, recorded = context_for("sofia_image")
    async with running_server(reply) as server:
        chosen = settings_for(**{**OPENAI.settings(server.url), **settings})
        async with open_models(chosen, "http://127.0.0.1:9", lambda: "", Clock()) as models:
            await models.generate(plate_request(images=images), context)
    return server.asked[0], recorded


async def test_the_key_is_a_bearer_token_where_there_is_one() -> None:
    with_key, _ = await ask(OPENAI.answer(PLATE))
    without, _ = await ask(OPENAI.answer(PLATE), openai_api_key=None)
    assert with_key.headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in without.headers


async def test_images_go_to_the_model_that_sees() -> None:
    seeing, _ = await ask(OPENAI.answer(PLATE), images=(b"\xff\xd8",))
    reading, _ = await ask(OPENAI.answer(PLATE))
    assert (seeing.body["model"], reading.body["model"]) == ("small-vision", "small")
    with pytest.raises(ProviderNotConfiguredError, match="MAXNUTRITION_OPENAI_VISION_MODEL"):
        await ask(OPENAI.answer(PLATE), images=(b"\xff\xd8",), openai_vision_model=None)


async def test_cached_tokens_are_told_apart() -> None:
    _, recorded = await ask(OPENAI.answer(PLATE))
    assert recorded.sum_of("cached_tokens") == USAGE[1]


async def test_a_refusal_of_the_model_fails_for_good() -> None:
    chunk = event(choices=[{"delta": {"refusal": "I cannot."}, "finish_reason": None}])
    end = event(choices=[{"delta": {}, "finish_reason": "stop"}])
    with pytest.raises(PermanentError) as caught:
        await ask(stream([chunk, end]))
    assert caught.value.code == "answer_blocked"


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        ({"message": "slow down", "code": 429}, DeferredError),
        ({"message": "slow down", "code": "rate_limit_exceeded"}, DeferredError),
        ({"message": "bad", "code": 400}, PermanentError),
        ({"message": "overloaded", "code": 503}, RetryableError),
        ("overloaded", RetryableError),
    ],
)
async def test_errors_mid_stream_say_what_to_do(error: object, verdict: type[Exception]) -> None:
    with pytest.raises(verdict):
        await ask(stream([event(error=error)]))
