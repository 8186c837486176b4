"""Any endpoint that speaks OpenAI's chat completions: llama.cpp, vLLM, LM Studio, OpenRouter, OpenAI."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from maxnutrition.providers.errors import ProviderDownError, RateLimitedError, RefusedError, UnusableAnswerError
from maxnutrition.providers.port import Answer, Call, Finish, Meter, Usage
from maxnutrition.providers.request import Message, OnText
from maxnutrition.providers.streams import cooldown_of, events_of, posted

_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "blocked"}


class _Delta(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _CachedTokens(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _CachedTokens | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: dict[str, Any] | str | None = None


class OpenAi:
    name = "openai"

    def __init__(self, client: httpx.AsyncClient, url: str, key: SecretStr | None) -> None:
        self._client = client
        self._url = f"{url}/v1/chat/completions"
        self._key = key

    async def answer(self, call: Call, meter: Meter, on_text: OnText) -> Answer:
        headers = {} if self._key is None else {"authorization": f"Bearer {self._key.get_secret_value()}"}
        text, finish, refused = "", "", False
        async with posted(self._client, self._url, _body_of(call), headers) as response:
            async for event in events_of(response):
                if event.strip() == "[DONE]":
                    break
                chunk = _read(event)
                _measure(chunk, meter)
                for choice in chunk.choices[:1]:
                    finish = choice.finish_reason or finish
                    refused = refused or bool(choice.delta.refusal)
                    if choice.delta.content:
                        text += choice.delta.content
                        await on_text(text)
        if refused:
            return Answer(text, "blocked", "refusal")
        if not finish:
            raise ProviderDownError("the stream ended early")
        return Answer(text, _FINISHES.get(finish, "stop"), finish)


def _body_of(call: Call) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": call.model,
        "messages": [{"role": "system", "content": call.system}, *map(_message_of, call.messages)],
        "max_tokens": call.max_output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if call.schema is not None:
        schema = {"name": "answer", "schema": call.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _message_of(message: Message) -> dict[str, Any]:
    role = "assistant" if message.role == "model" else "user"
    if not message.images:
        return {"role": role, "content": message.text}
    images = [
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{b64encode(image).decode()}"}}
        for image in message.images
    ]
    return {"role": role, "content": [{"type": "text", "text": message.text}, *images]}


def _read(event: str) -> _Chunk:
    try:
        chunk = _Chunk.model_validate_json(event)
    except ValidationError:
        raise UnusableAnswerError("an event is not a chunk of a completion") from None
    if chunk.error is not None:
        raise _error_in_band(chunk.error)
    return chunk


def _error_in_band(error: dict[str, Any] | str) -> ProviderDownError | RateLimitedError | RefusedError:
    """An error after the headers were sent: the status is 200, and the code, if any, is in the body."""
    code = error.get("code") if isinstance(error, dict) else None
    if code in {429, "429", "rate_limit_exceeded"}:
        return RateLimitedError("rate limited mid-stream", cooldown_of(None))
    if isinstance(code, int) and 400 <= code < 500:
        return RefusedError(f"error {json.dumps(code)} mid-stream")
    return ProviderDownError("error mid-stream")


def _measure(chunk: _Chunk, meter: Meter) -> None:
    if chunk.usage is not None:
        details = chunk.usage.prompt_tokens_details
        cached = (details.cached_tokens or 0) if details else 0
        meter.usage = Usage(chunk.usage.prompt_tokens, cached, chunk.usage.completion_tokens)
