"""What operators may read and delete of the queue's tables, of Storage and of Auth, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from analysis_worker.adapters.postgrest import KeyAuth
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError

_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_DELETED_AT_ONCE = 1000


class Records:
    """Over an open client for the project's URL. Raises StoreRejectedError and StoreUnavailableError."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def read(self, table: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Rows, by PostgREST's query parameters."""
        rows: list[dict[str, Any]] = self._ask("GET", f"/rest/v1/{table}", params=dict(query)).json()
        return rows

    def count(self, table: str, query: Mapping[str, str]) -> int:
        params = {**query, "limit": "1"}
        answer = self._ask("GET", f"/rest/v1/{table}", params=params, headers={"prefer": "count=exact"})
        return int(answer.headers["content-range"].rpartition("/")[2])

    def delete(self, table: str, query: Mapping[str, str]) -> int:
        """How many rows are gone."""
        params = {**query, "select": "id"}
        return len(
            self._ask("DELETE", f"/rest/v1/{table}", params=params, headers={"prefer": "return=representation"}).json()
        )

    def create_user(self, email: str, password: str) -> str:
        """The id of a user whose address counts as confirmed."""
        body = {"email": email, "password": password, "email_confirm": True}
        return str(self._ask("POST", "/auth/v1/admin/users", json=body).json()["id"])

    def delete_user(self, user_id: str) -> None:
        self._ask("DELETE", f"/auth/v1/admin/users/{user_id}")

    def delete_objects(self, bucket: str, names: Sequence[str]) -> int:
        """How many of these were there to delete."""
        deleted = 0
        for start in range(0, len(names), _DELETED_AT_ONCE):
            prefixes = list(names[start : start + _DELETED_AT_ONCE])
            deleted += len(self._ask("DELETE", f"/storage/v1/object/{bucket}", json={"prefixes": prefixes}).json())
        return deleted

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            response = self._client.request(method, path, **more)
            if response.is_success:
                response.json()
                return response
            told = response.json()
        except (httpx.HTTPError, OSError) as error:  # OSError: the file with the key
            raise StoreUnavailableError(f"{path}: {type(error).__name__}: {error}") from error
        except ValueError as error:
            raise StoreUnavailableError(f"{path}: HTTP {response.status_code} without JSON") from error
        message = f"{path}: {told.get('message') or told.get('msg')}" if isinstance(told, dict) else path
        code = told.get("error_code") or told.get("code") if isinstance(told, dict) else None
        if response.status_code < 500:
            raise StoreRejectedError(str(code or response.status_code), message)
        raise StoreUnavailableError(f"HTTP {response.status_code} {message}")


@contextmanager
def open_records(url: str, current_key: Callable[[], str]) -> Iterator[Records]:
    with httpx.Client(base_url=url, auth=KeyAuth(current_key), timeout=_TIMEOUT, http2=False) as client:
        yield Records(client)
