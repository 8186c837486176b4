"""A client of the Auth service, with a clock that tests can move."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from supabase_local.keys import Keys
from supabase_local.tokens import verify

PASSWORD = "segredo1"


@dataclass(slots=True)
class Clock:
    """The service's clock; `skip_s` is how far it runs ahead."""

    skip_s: float = 0

    def now(self) -> float:
        return time.time() + self.skip_s


@dataclass(frozen=True, slots=True)
class Auth:
    """A client of the service, and its insides."""

    http: httpx.AsyncClient
    keys: Keys
    database_url: str
    clock: Clock

    async def sign_up(self, email: str = "ana@example.com", password: str = PASSWORD) -> dict[str, Any]:
        answer = await self.http.post("/signup", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def sign_in(self, email: str = "ana@example.com", password: str = PASSWORD) -> httpx.Response:
        body = {"email": email, "password": password}
        return await self.http.post("/token", params={"grant_type": "password"}, json=body)

    async def refresh(self, token: str) -> httpx.Response:
        return await self.http.post("/token", params={"grant_type": "refresh_token"}, json={"refresh_token": token})

    async def user(self, token: str) -> httpx.Response:
        return await self.http.get("/user", headers=bearer(token))

    def claims(self, token: str) -> dict[str, Any]:
        return verify(token, self.keys.jwt_secret, self.clock.now())

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.database_url) as connection:
            connection.execute(statement.encode(), values)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_code"]
