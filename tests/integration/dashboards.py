"""The dashboard in front of a whole stack, and people with browsers of their own, as far as HTTP goes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
from pydantic import SecretStr

from analysis_worker.dashboard.serving import open_dashboard, open_web_port
from analysis_worker.settings import DashboardSettings
from supabase_local.directory import StackVariables

OPERATOR, VIEWER = "operator-token-for-tests", "viewer-token-for-tests.."
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Person:
    """Sends what a browser would: cookies, and where a form comes from."""

    http: httpx.AsyncClient

    async def sign_in(self, **form: str) -> httpx.Response:
        return await self.post("login", form)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers=headers)

    async def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        origin = str(self.http.base_url).partition("/dashboard")[0]
        given = {"origin": origin} | headers
        return await self.http.post(path, data=form, headers={name: value for name, value in given.items() if value})

    async def hidden(self, path: str) -> dict[str, str]:
        """What the form of a question would send by itself."""
        page = await self.get(path)
        assert page.status_code == 200, page.text
        return {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}

    async def do(self, path: str, **fields: str) -> httpx.Response:
        """Asks, and says yes."""
        return await self.post(path.partition("?")[0], await self.hidden(path) | fields)


@dataclass(frozen=True, slots=True)
class Dashboard:
    port: int

    @asynccontextmanager
    async def person(self, token: str | None = None, **more: Any) -> AsyncIterator[Person]:
        base_url = f"http://127.0.0.1:{self.port}/dashboard/"
        async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=20, **more) as client:
            person = Person(client)
            if token is not None:
                assert (await person.sign_in(token=token)).status_code == 303
            yield person


@asynccontextmanager
async def running_dashboard(stack: StackVariables, url: str | None = None, **settings: Any) -> AsyncIterator[Dashboard]:
    entrance = DashboardSettings(token=SecretStr(OPERATOR), viewer_token=SecretStr(VIEWER), **settings)
    async with (
        open_dashboard(url or stack.api_url, lambda: stack.secret_key, entrance) as site,
        open_web_port("127.0.0.1", 0, site, {}) as port,
    ):
        yield Dashboard(port)
