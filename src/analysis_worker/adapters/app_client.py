"""The project as an app sees it: its publishable key, a user who signs in, its Edge Functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from postgrest.exceptions import APIError
from supabase import AsyncClient, AsyncClientOptions, AuthError, acreate_client

from analysis_worker.adapters.subscription import CONNECTION_ERRORS

CLIENT_ERRORS = (APIError, AuthError, httpx.HTTPError, *CONNECTION_ERRORS)
"""What a call raises where it was refused, or nobody answered."""

_TIMEOUT_SECONDS = 20.0


def describe_error(error: Exception) -> str:
    """In a line: an APIError prints as a dictionary."""
    return f"{error.code}: {error.message}" if isinstance(error, APIError) else str(error) or type(error).__name__


@dataclass(slots=True)
class AppClient:
    supabase: AsyncClient
    _functions: httpx.AsyncClient
    token: str = ""
    """The user's, who signed in."""

    async def sign_in(self, email: str, password: str) -> None:
        answer = await self.supabase.auth.sign_in_with_password({"email": email, "password": password})
        assert answer.session is not None
        self.token = answer.session.access_token

    async def call_function(self, name: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer, as the user who signed in; an empty object where it is no JSON object."""
        headers = {"authorization": f"Bearer {self.token}"}
        response = await self._functions.post(name, json=dict(body), headers=headers)
        try:
            answer = response.json()
        except ValueError:
            answer = {}
        return response.status_code, answer if isinstance(answer, dict) else {}


@asynccontextmanager
async def open_app_client(url: str, publishable_key: str) -> AsyncIterator[AppClient]:
    functions = httpx.AsyncClient(
        base_url=f"{url}/functions/v1/", headers={"apikey": publishable_key}, timeout=_TIMEOUT_SECONDS
    )
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as http, functions:
        options = AsyncClientOptions(httpx_client=http, auto_refresh_token=False, persist_session=False)
        client = await acreate_client(url, publishable_key, options)
        try:
            yield AppClient(client, functions)
        finally:
            await client.realtime.close()
