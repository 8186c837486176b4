"""The queue over PostgREST: one HTTP call per transition.

Plain httpx and not supabase-py, whose errors carry no HTTP status, so that "refused" and "unknown" look alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from typing import Any

import httpx

from analysis_worker.adapters.sql_functions import SqlJobStore
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_ASK_AGAIN = {401, 403, 408, 429}


class KeyAuth(httpx.Auth):
    """Asks for the key at every request. An opaque one goes into `apikey` alone: it is no bearer token."""

    def __init__(self, current_key: Callable[[], str]) -> None:
        self._current_key = current_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        key = self._current_key()
        request.headers["apikey"] = key
        if key.startswith("ey"):
            request.headers["authorization"] = f"Bearer {key}"
        yield request


def new_http_client(url: str, current_key: Callable[[], str]) -> httpx.AsyncClient:
    """A client for `{url}/rest/v1`."""
    return httpx.AsyncClient(
        base_url=f"{url}/rest/v1/",
        auth=KeyAuth(current_key),
        headers={"accept": "application/json", "content-type": "application/json"},
        timeout=_TIMEOUT,
        http2=False,
    )


class PostgrestJobStore(SqlJobStore):
    """One HTTP call per function, on a client of `new_http_client`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def _ask(self, function: str, arguments: Mapping[str, Any]) -> bytes:
        """Anything that does not say whether the call took effect is "unavailable"."""
        try:
            response = await self._client.post(f"rpc/{function}", content=json.dumps(arguments))
        except (httpx.TransportError, OSError) as error:  # OSError: the file with the key
            raise StoreUnavailableError(f"{function}: {type(error).__name__}") from error
        if not response.is_success:
            raise _failure(function, response)
        return response.content


def _failure(function: str, response: httpx.Response) -> StoreRejectedError | StoreUnavailableError:
    try:
        body = response.json()
    except ValueError:
        body = {}
    code = body.get("code") if isinstance(body, dict) else None
    # A 400 without a code is PostgREST losing its database in the middle of a call: the outcome is unknown. A refused
    # key says nothing about the call: it is being exchanged, and the same call will pass under the next one.
    if response.status_code >= 500 or response.status_code in _ASK_AGAIN or not code:
        return StoreUnavailableError(f"{function}: HTTP {response.status_code} {code or ''}".rstrip())
    return StoreRejectedError(str(code), f"{function}: {body.get('message')}")
