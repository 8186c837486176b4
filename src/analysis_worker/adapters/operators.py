"""What operators may call, over PostgREST: asked once, by somebody who reads the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from analysis_worker.adapters.postgrest import KeyAuth
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError

_TIMEOUT = httpx.Timeout(15.0, connect=5.0)


class Operations(Protocol):
    """The SQL functions that are open to a service key alone."""

    def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """The function's answer, as JSON. Raises StoreRejectedError, whose text is fit to be shown, where the call was
        understood and refused, and StoreUnavailableError where nobody knows; the call may be sent again then."""
        ...


class AsyncOperations:
    """The same and what operators may read, over an open client for `{url}/rest/v1/`; raises the same."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def call(self, function: str, arguments: Mapping[str, Any], actor: str | None = None) -> Any:
        """`actor` is for whom this is done, as it is to stand on record."""
        headers = {} if actor is None else {"x-analysis-actor": actor}
        return await self._ask("POST", f"rpc/{function}", json=dict(arguments), headers=headers)

    async def read(self, table: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Rows, by PostgREST's query parameters."""
        rows: list[dict[str, Any]] = await self._ask("GET", table, params=dict(query))
        return rows

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            response = await self._client.request(method, path, **more)
        except (httpx.HTTPError, OSError) as error:  # OSError: the file with the key
            raise StoreUnavailableError(f"{path}: {type(error).__name__}: {error}") from error
        return _answer(path, response)


class PostgrestOperations:
    """Operations over an open client for `{url}/rest/v1/`."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        try:
            response = self._client.post(f"rpc/{function}", json=dict(arguments))
        except (httpx.HTTPError, OSError) as error:  # OSError: the file with the key
            raise StoreUnavailableError(f"{function}: {type(error).__name__}: {error}") from error
        return _answer(function, response)


def _answer(asked: str, response: httpx.Response) -> Any:
    try:
        body = response.json()
    except ValueError as error:
        raise StoreUnavailableError(f"{asked}: HTTP {response.status_code} without JSON") from error
    if response.is_success:
        return body
    raise _failure(asked, response.status_code, body)


def _failure(function: str, status: int, body: Any) -> StoreRejectedError | StoreUnavailableError:
    told = body if isinstance(body, dict) else {}
    message, code = told.get("message") or "no reason given", told.get("code")
    if status in {401, 403}:
        return StoreRejectedError(str(code or status), f"{message}; a service key is needed")
    # A 400 without a code is PostgREST losing its database in the middle of a call.
    if status < 500 and code:
        return StoreRejectedError(str(code), str(message))
    return StoreUnavailableError(f"{function}: HTTP {status}: {message}")


@contextmanager
def open_operations(url: str, current_key: Callable[[], str]) -> Iterator[PostgrestOperations]:
    with httpx.Client(base_url=f"{url}/rest/v1/", auth=KeyAuth(current_key), timeout=_TIMEOUT, http2=False) as client:
        yield PostgrestOperations(client)
