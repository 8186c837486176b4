"""Gemini through google-genai, over an httpx client of ours."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import anyio
import httpx
from google import genai
from google.genai import errors, types
from pydantic import SecretStr

from maxnutrition.providers.errors import ProviderDownError, ProviderError, RateLimitedError, UnusableAnswerError
from maxnutrition.providers.port import Answer, Call, Finish, Meter, Usage
from maxnutrition.providers.request import Message, OnText
from maxnutrition.providers.streams import cooldown_of, error_of_status, error_of_transport, retry_after_of

_BLOCKS = frozenset(
    {
        types.FinishReason.SAFETY,
        types.FinishReason.PROHIBITED_CONTENT,
        types.FinishReason.SPII,
        types.FinishReason.BLOCKLIST,
        types.FinishReason.RECITATION,
        types.FinishReason.IMAGE_SAFETY,
    }
)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


class Gemini:
    name = "gemini"

    def __init__(self, client: httpx.AsyncClient, url: str, key: SecretStr, thinking: str) -> None:
        """`client` is this provider's own: what the library leaves out is put right by hooks on it."""
        client.event_hooks = {"request": [self._limit_silence], "response": [self._remember]}
        self._timeout = client.timeout.as_dict()
        self._opened: ContextVar[list[httpx.Response]] = ContextVar("opened")
        self._thinking = types.ThinkingConfig(thinking_level=types.ThinkingLevel(thinking.upper()))
        options = types.HttpOptions(base_url=url, api_version="v1", httpx_async_client=client)
        # Named, because the library would otherwise look into the environment for Vertex AI.
        self._models = genai.Client(vertexai=False, api_key=key.get_secret_value(), http_options=options).aio.models

    async def answer(self, call: Call, meter: Meter, on_text: OnText) -> Answer:
        opened: list[httpx.Response] = []
        self._opened.set(opened)
        try:
            return await self._stream(call, meter, on_text)
        except errors.APIError as error:
            raise _error_of(error) from None  # its text holds the whole answer
        except httpx.HTTPError as error:
            raise error_of_transport(error) from None
        except ValueError:  # JSON that is none, or not what the library takes for an answer
            raise UnusableAnswerError("the answer is not one of Gemini's") from None
        finally:
            with anyio.CancelScope(shield=True):
                for response in opened:
                    await response.aclose()

    async def _limit_silence(self, request: httpx.Request) -> None:
        """The library asks for no timeout at all where it is given none, and its own would also bind the server."""
        request.extensions["timeout"] = self._timeout

    async def _remember(self, response: httpx.Response) -> None:
        """The library leaves a stream that is not read to its end to the garbage collector."""
        self._opened.get().append(response)

    async def _stream(self, call: Call, meter: Meter, on_text: OnText) -> Answer:
        text = ""
        finish: types.FinishReason | None = None
        chunks = await self._models.generate_content_stream(
            model=call.model, contents=[_content_of(message) for message in call.messages], config=self._config(call)
        )
        async for chunk in chunks:
            _measure(chunk.usage_metadata, meter)
            if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason is not None:
                return Answer(text, "blocked", chunk.prompt_feedback.block_reason.value)
            for candidate in (chunk.candidates or [])[:1]:
                finish = candidate.finish_reason or finish
                if added := _text_of(candidate):
                    text += added
                    await on_text(text)
        if finish is None:
            raise ProviderDownError("the stream ended early")
        return Answer(text, _finish_of(finish), finish.value)

    def _config(self, call: Call) -> types.GenerateContentConfig:
        return types.GenerateContentConfig(
            system_instruction=call.system,
            max_output_tokens=call.max_output_tokens,
            thinking_config=self._thinking,
            response_mime_type=None if call.schema is None else "application/json",
            response_json_schema=call.schema,
        )


def _content_of(message: Message) -> types.Content:
    images = [types.Part.from_bytes(data=image, mime_type="image/jpeg") for image in message.images]
    return types.Content(role=message.role, parts=[*images, types.Part.from_text(text=message.text)])


def _text_of(candidate: types.Candidate) -> str:
    parts = (candidate.content.parts or []) if candidate.content else []
    return "".join(part.text for part in parts if part.text and not part.thought)


def _finish_of(reason: types.FinishReason) -> Finish:
    if reason in _BLOCKS:
        return "blocked"
    return "length" if reason is types.FinishReason.MAX_TOKENS else "stop"


def _measure(metadata: types.GenerateContentResponseUsageMetadata | None, meter: Meter) -> None:
    if metadata is not None:
        meter.usage = Usage(
            input_tokens=metadata.prompt_token_count or 0,
            cached_tokens=metadata.cached_content_token_count or 0,
            output_tokens=(metadata.candidates_token_count or 0) + (metadata.thoughts_token_count or 0),
        )


def _error_of(error: errors.APIError) -> ProviderError:
    code = error.code if isinstance(error.code, int) else 500  # an error mid-stream may have none
    if code != 429:
        return error_of_status(code, None)
    wanted = _retry_delay_of(error.details)
    if wanted is None:
        wanted = retry_after_of(getattr(error.response, "headers", {}))
    return RateLimitedError("HTTP 429", cooldown_of(wanted))


def _retry_delay_of(details: Any) -> float | None:
    """The seconds of a google.rpc.RetryInfo ("34.07s"), rounded up to whole ones."""
    error = details.get("error") if isinstance(details, Mapping) else None
    infos = error.get("details") if isinstance(error, Mapping) else None
    for info in infos if isinstance(infos, list) else []:
        found = _SECONDS.fullmatch(str(info.get("retryDelay"))) if isinstance(info, Mapping) else None
        if found is not None:
            return math.ceil(float(found[1]))
    return None
