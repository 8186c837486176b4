"""Callers of the Storage service, and what it keeps on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from psycopg.rows import dict_row

from supabase_local.keys import Keys, sign
from tests.contract.auth.client import Clock

BUCKETS = """
    insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values
        ('own', 'own', false, 100000, null), ('open', 'open', true, null, null),
        ('pictures', 'pictures', false, null, '{image/*,application/pdf}');
"""
POLICIES = """
    create policy "read own" on storage.objects for select to authenticated
        using ((storage.foldername(name))[1] = auth.uid()::text);
    create policy "add own" on storage.objects for insert to authenticated
        with check ((storage.foldername(name))[1] = auth.uid()::text);
    create policy "delete own" on storage.objects for delete to authenticated
        using ((storage.foldername(name))[1] = auth.uid()::text);
"""


@dataclass(frozen=True, slots=True)
class Storage:
    """The service, and its insides."""

    http: httpx.AsyncClient
    keys: Keys
    directory: Path
    database_url: str
    clock: Clock

    def user(self) -> Caller:
        user_id = str(uuid4())
        claims = {"sub": user_id, "role": "authenticated", "aud": "authenticated", "exp": int(self.clock.now()) + 3600}
        return Caller(self.http, sign(claims, self.keys.jwt_secret), user_id)

    def service(self) -> Caller:
        return Caller(self.http, self.keys.service_role_key, "")

    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def rows(self) -> list[dict[str, Any]]:
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute("select * from storage.objects order by name").fetchall()


@dataclass(frozen=True, slots=True)
class Caller:
    http: httpx.AsyncClient
    token: str
    id: str

    async def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        authorized = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return await self.http.request(method, path, headers=authorized, **options)

    async def upload(
        self, key: str, content: Any = b"conte\xc3\xbado", method: str = "POST", **headers: str
    ) -> httpx.Response:
        """The body as raw bytes; header names take `_` for `-`."""
        sent = {"content-type": "text/plain"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send(method, f"/object/{key}", sent, content=content)


def error(answer: httpx.Response) -> tuple[int, str, str]:
    """HTTP status, the status in the body, and its name."""
    body = answer.json()
    assert set(body) == {"statusCode", "error", "message", "code"}
    return answer.status_code, body["statusCode"], body["error"]
