"""Who calls Storage, and transactions that see what the caller may see."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from aiohttp import web
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from supabase_local.storage.errors import StorageError, access_denied
from supabase_local.tokens import TokenError, verify

Connection: TypeAlias = AsyncConnection[DictRow]
_BEARER = re.compile(r"Bearer\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StorageService:
    """What every handler needs. `clock` gives seconds since the epoch."""

    pool: AsyncConnectionPool[Connection]
    directory: Path
    jwt_secret: str
    clock: Callable[[], float] = time.time

    @asynccontextmanager
    async def as_owner(self) -> AsyncIterator[Connection]:
        """A transaction that no policy limits."""
        async with self.pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def acting_for(self, caller: Caller) -> AsyncIterator[Connection]:
        """A transaction under the caller's role and claims, so that the policies decide."""
        async with self.pool.connection() as connection:
            await connection.execute(
                "select set_config('request.jwt.claims', %s, true), set_config('role', %s, true)",
                (json.dumps(caller.claims), caller.role),
            )
            yield connection


SERVICE = web.AppKey("storage_service", StorageService)


@dataclass(frozen=True, slots=True)
class Caller:
    claims: dict[str, Any]

    @property
    def role(self) -> str:
        return str(self.claims.get("role") or "anon")

    @property
    def owner_id(self) -> str | None:
        return self.claims.get("sub")

    @property
    def owner(self) -> UUID | None:
        try:
            return UUID(self.owner_id or "")
        except ValueError:
            return None


def require_caller(request: web.Request) -> Caller:
    token = _BEARER.sub("", request.headers.get("Authorization", ""))
    if not token:
        raise StorageError(400, "InvalidRequest", "headers must have required property 'authorization'", "Error")
    try:
        return Caller(read_token(request.app[SERVICE], token))
    except TokenError as error:
        raise access_denied(error.reason) from error


def optional_caller(request: web.Request) -> Caller | None:
    """None where there is no valid token: such a caller sees public buckets only."""
    try:
        return require_caller(request)
    except StorageError:
        return None


def read_token(service: StorageService, token: str) -> dict[str, Any]:
    """The claims; raises TokenError. Unlike the REST service, Storage allows no leeway after the expiry."""
    now = service.clock()
    claims = verify(token, service.jwt_secret, now)
    if claims.get("exp", now) < now:
        raise TokenError("unacceptable", '"exp" claim timestamp check failed')
    return claims
