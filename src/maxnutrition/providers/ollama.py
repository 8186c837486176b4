"""Ollama's own API: its OpenAI-compatible one cannot set the size of the context."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ValidationError

from maxnutrition.providers.errors import ProviderDownError, UnusableAnswerError
from maxnutrition.providers.port import Answer, Call, Meter, Usage
from maxnutrition.providers.request import Message, OnText
from maxnutrition.providers.streams import error_of_status, error_of_transport, lines_of, posted

Readiness = Literal["loaded", "present", "missing"]


class _Text(BaseModel):
    content: str = ""


class _Line(BaseModel):
    message: _Text = _Text()
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: str | None = None


class _Model(BaseModel):
    name: str


class _Listing(BaseModel):
    models: list[_Model]


class Ollama:
    name = "ollama"

    def __init__(self, client: httpx.AsyncClient, url: str, context_tokens: int) -> None:
        self._client = client
        self._url = url
        self._context_tokens = context_tokens

    async def answer(self, call: Call, meter: Meter, on_text: OnText) -> Answer:
        text = ""
        body = self._body_of(call)
        async with posted(self._client, f"{self._url}/api/chat", body, {}) as response:
            async for raw in lines_of(response):
                if not raw.strip():
                    continue
                line = _read(raw)
                if line.message.content:
                    text += line.message.content
                    await on_text(text)
                if line.done:
                    meter.usage = Usage(line.prompt_eval_count or 0, 0, line.eval_count or 0)
                    return Answer(text, "length" if line.done_reason == "length" else "stop", line.done_reason or "")
        raise ProviderDownError("the stream ended early")

    async def readiness(self, model: str) -> Readiness:
        """Whether the server has the model, and in memory already. Raises ProviderError."""
        if _tagged(model) in await self._names("/api/ps"):
            return "loaded"
        return "present" if _tagged(model) in await self._names("/api/tags") else "missing"

    async def _names(self, path: str) -> set[str]:
        try:
            response = await self._client.get(f"{self._url}{path}")
        except httpx.HTTPError as error:
            raise error_of_transport(error) from None
        if response.status_code != 200:
            raise error_of_status(response.status_code, None)
        try:
            return {_tagged(model.name) for model in _Listing.model_validate_json(response.content).models}
        except ValidationError:
            raise UnusableAnswerError("not a list of models") from None

    def _body_of(self, call: Call) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": call.model,
            "messages": [{"role": "system", "content": call.system}, *map(_message_of, call.messages)],
            "stream": True,
            "options": {"num_ctx": self._context_tokens, "num_predict": call.max_output_tokens},
        }
        return body if call.schema is None else {**body, "format": call.schema}


def _message_of(message: Message) -> dict[str, Any]:
    role = "assistant" if message.role == "model" else "user"
    images = {"images": [b64encode(image).decode() for image in message.images]} if message.images else {}
    return {"role": role, "content": message.text, **images}


def _read(raw: str) -> _Line:
    try:
        line = _Line.model_validate_json(raw)
    except ValidationError:
        raise UnusableAnswerError("a line is not part of a chat") from None
    if line.error is not None:  # under HTTP 200, once the stream has begun
        raise ProviderDownError("error mid-stream")
    return line


def _tagged(model: str) -> str:
    return model if ":" in model else f"{model}:latest"
