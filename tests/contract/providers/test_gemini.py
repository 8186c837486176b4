"""What only Gemini does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from loguru import logger

from analysis_worker import DeferredError, PermanentError, RetryableError
from maxnutrition.providers.opening import open_models
from tests.contract.providers.dialects import GEMINI, KEY, settings_for
from tests.contract.providers.server import Reply, html, running_server, status, stream
from tests.unit.providers.doubles import PLATE, Clock, Plate, Recorded, context_for, plate_request

pytestmark = pytest.mark.anyio

QUOTA = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerMinute"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"},
        ],
    }
}


def event(**body: Any) -> bytes:
    return f"data: {json.dumps(body)}\r\n\r\n".encode()


async def ask(reply: Reply, purpose: str = "sofia_image") -> tuple[Plate, Recorded, dict[str, Any]]:
    context, recorded = context_for(purpose)
    async with running_server(reply) as server:
        settings = settings_for(**GEMINI.settings(server.url))
        async with open_models(settings, "http://127.0.0.1:9", lambda: "", Clock()) as models:
            answer = await models.generate(plate_request(purpose), context)
    [asked] = server.asked
    return answer.output, recorded, {"path": asked.path, "headers": asked.headers, "body": asked.body}


async def test_the_wait_that_retry_info_asks_for_is_kept() -> None:
    with pytest.raises(DeferredError) as caught:
        await ask(status(429, json.dumps(QUOTA)))
    assert caught.value.delay_seconds == 35


async def test_the_key_goes_in_a_header_and_nowhere_else() -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, level=0)
    try:
        _, _, sent = await ask(GEMINI.answer(PLATE))
        with pytest.raises(PermanentError) as refused:
            await ask(status(400, f'{{"error": {{"code": 400, "message": "bad key {KEY}"}}}}'))
        with pytest.raises(RetryableError) as down:
            await ask(html(502))
    finally:
        logger.remove(sink)
    assert sent["headers"]["x-goog-api-key"] == KEY
    assert KEY not in sent["path"] + json.dumps(sent["body"])
    for error in (refused.value, down.value):
        assert KEY not in repr(error) + repr(error.__cause__)
    assert lines
    assert KEY not in "".join(lines)


async def test_exams_are_read_by_the_model_for_exams() -> None:
    _, _, chat = await ask(GEMINI.answer(PLATE))
    _, _, exam = await ask(GEMINI.answer(PLATE), "medical_exam")
    assert chat["path"] == "/v1/models/gemini-3.5-flash-lite:streamGenerateContent?alt=sse"
    assert exam["path"] == "/v1/models/gemini-3.8-flash:streamGenerateContent?alt=sse"


async def test_no_knobs_are_turned_that_the_models_do_not_have() -> None:
    _, _, sent = await ask(GEMINI.answer(PLATE))
    config = sent["body"]["generationConfig"]
    assert config.keys() == {"maxOutputTokens", "responseMimeType", "responseJsonSchema", "thinkingConfig"}
    assert list(config["thinkingConfig"].values()) == ["LOW"]


async def test_what_it_thinks_is_paid_for_and_not_part_of_the_answer() -> None:
    thought = {"text": "Vou pensar.", "thought": True}
    reply = stream(
        [
            event(candidates=[{"content": {"parts": [thought, {"text": PLATE}]}}]),
            event(
                candidates=[{"finishReason": "STOP"}],
                usageMetadata={"promptTokenCount": 10, "candidatesTokenCount": 4, "thoughtsTokenCount": 6},
            ),
        ]
    )
    plate, recorded, _ = await ask(reply)
    assert plate == Plate.model_validate_json(PLATE)
    assert recorded.sum_of("output_tokens") == 10
    assert recorded.sum_of("cost_micro_usd") == 10 * 0.30 + 10 * 2.50


@pytest.mark.parametrize("reason", ["SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "OTHER"])
async def test_a_prompt_that_is_blocked_fails_for_good(reason: str) -> None:
    reply = stream([event(promptFeedback={"blockReason": reason}, usageMetadata={"promptTokenCount": 10})])
    with pytest.raises(PermanentError) as caught:
        await ask(reply)
    assert caught.value.code == "answer_blocked"


@pytest.mark.parametrize("reason", ["SAFETY", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "RECITATION"])
async def test_an_answer_that_is_blocked_fails_for_good(reason: str) -> None:
    with pytest.raises(PermanentError) as caught:
        await ask(stream([event(candidates=[{"finishReason": reason}])]))
    assert caught.value.code == "answer_blocked"


@pytest.mark.parametrize(
    "reply",
    [
        stream([b"data: {half\r\n\r\n"]),
        stream([event(candidates="none")]),
        stream([event()]),
        stream([]),
        stream([event(error={"code": 503, "status": "UNAVAILABLE", "message": "overloaded"})]),
    ],
    ids=["broken JSON", "other JSON", "no candidates", "nothing", "an error mid-stream"],
)
async def test_what_is_no_answer_is_worth_another_attempt(reply: Reply) -> None:
    with pytest.raises(RetryableError):
        await ask(reply)


async def test_a_quota_that_ends_mid_stream_defers_the_job() -> None:
    with pytest.raises(DeferredError) as caught:
        await ask(stream([event(**QUOTA)]))
    assert caught.value.delay_seconds == 35
