"""Other people's addresses: a worker's port, a webhook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from analysis_worker.errors import StoreUnavailableError

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    text: str


def fetch(url: str) -> Fetched:
    """Raises StoreUnavailableError where nobody answers."""
    return _request("GET", url, None)


def post_json(url: str, body: Mapping[str, Any]) -> Fetched:
    """Raises StoreUnavailableError where nobody answers. The URL of a webhook is a secret: no message names it."""
    return _request("POST", url, body)


def _request(method: str, url: str, body: Mapping[str, Any] | None) -> Fetched:
    try:
        response = httpx.request(method, url, json=body, timeout=_TIMEOUT, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error
    return Fetched(response.status_code, response.text)
