"""Streamed answers over plain httpx: statuses and transport faults as our errors, bytes as lines and events."""

from __future__ import annotations

import codecs
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from maxnutrition.providers.errors import (
    ConnectionLostError,
    ProviderDownError,
    ProviderError,
    RateLimitedError,
    RefusedError,
    UnusableAnswerError,
)

MAX_ANSWER_BYTES = 4 * 1024 * 1024
DEFAULT_COOLDOWN_SECONDS = 15.0
_MIN_COOLDOWN_SECONDS = 1.0
_MAX_COOLDOWN_SECONDS = 3600.0


def provider_client(idle_seconds: float, tls: ssl.SSLContext) -> httpx.AsyncClient:
    """No proxies and no .netrc from the environment, and no redirects: they would carry keys elsewhere."""
    timeout = httpx.Timeout(idle_seconds, connect=5.0, pool=idle_seconds)
    return httpx.AsyncClient(timeout=timeout, verify=tls, trust_env=False, follow_redirects=False)


@asynccontextmanager
async def posted(
    client: httpx.AsyncClient, url: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """The open answer of a POST. Raises ProviderErrors, for its body too; leaving closes the connection."""
    try:
        async with client.stream("POST", url, json=body, headers=headers) as response:
            if response.status_code != 200:
                raise error_of_status(response.status_code, retry_after_of(response.headers))
            yield response
    except httpx.HTTPError as error:
        raise error_of_transport(error) from None  # its text may hold the URL
    except UnicodeDecodeError:
        raise UnusableAnswerError("the answer is not text") from None


def error_of_transport(error: httpx.HTTPError) -> ProviderError:
    match error:
        case httpx.TimeoutException():
            return ProviderDownError(f"timeout: {type(error).__name__}")
        case httpx.TransportError():
            return ConnectionLostError(f"connection lost: {type(error).__name__}")
        case _:
            return UnusableAnswerError(f"unreadable answer: {type(error).__name__}")


def error_of_status(status: int, retry_after: float | None) -> ProviderError:
    if status == 429:
        return RateLimitedError("HTTP 429", cooldown_of(retry_after))
    if status >= 500 or status == 408:
        return ProviderDownError(f"HTTP {status}")
    return RefusedError(f"HTTP {status}")


def cooldown_of(wanted: float | None) -> float:
    """Within bounds: what a provider wants is not always sensible."""
    seconds = DEFAULT_COOLDOWN_SECONDS if wanted is None else wanted
    return min(max(seconds, _MIN_COOLDOWN_SECONDS), _MAX_COOLDOWN_SECONDS)


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """The header's seconds, given as such or as a date."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None


async def lines_of(response: httpx.Response) -> AsyncIterator[str]:
    """Lines without their ends, however the bytes were cut. Raises UnusableAnswerError past MAX_ANSWER_BYTES."""
    decode = codecs.getincrementaldecoder("utf-8")()
    received = 0
    rest = ""
    async for chunk in response.aiter_bytes():
        received += len(chunk)
        if received > MAX_ANSWER_BYTES:
            raise UnusableAnswerError("the answer does not end")
        *lines, rest = (rest + decode.decode(chunk)).split("\n")
        for line in lines:
            yield line.removesuffix("\r")
    rest += decode.decode(b"", final=True)
    if rest:
        yield rest.removesuffix("\r")


async def events_of(response: httpx.Response) -> AsyncIterator[str]:
    """The data of server-sent events. Comments and other fields are left out."""
    data: list[str] = []
    async for line in lines_of(response):
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []
    if data:
        yield "\n".join(data)
