"""A realtime server on a database of its own, and a bare client for it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import psycopg
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect

from supabase_local.gateway import Service, create_gateway
from supabase_local.keys import Keys
from supabase_local.postgres import SUPERUSER
from supabase_local.realtime import Faults, RealtimeOptions, create_realtime_app
from tests.databases import Databases

SECRET = "the-secret-that-signs-every-token-of-these-tests"
JOBS = "analysis_jobs"
_PREFIX = "/realtime/v1"
ONE_TABLE = """
set role postgres;
create table public.analysis_jobs (id uuid primary key default gen_random_uuid(), user_id uuid, status text, n int);
alter table public.analysis_jobs enable row level security;
create policy own_rows on public.analysis_jobs for select to authenticated using (user_id = auth.uid());
alter publication supabase_realtime add table public.analysis_jobs;
"""


def token(lives_s: float = 3600, secret: str = SECRET, **claims: str) -> str:
    return jwt.encode({**claims, "exp": time.time() + lives_s}, secret, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class RealtimeServer:
    """`url` takes the path `/websocket`; `database_url` is the superuser's."""

    url: str
    database_url: str
    runner: web.AppRunner

    async def execute(self, statement: str, *parameters: object) -> None:
        """Commit one statement, or several without parameters."""
        async with await connect_writer(self.database_url) as connection:
            await connection.execute(statement.encode(), parameters or None)


async def connect_writer(database_url: str) -> psycopg.AsyncConnection:
    """A connection whose commits reach the replication stream at once, not when the server next writes its log."""
    return await psycopg.AsyncConnection.connect(database_url, autocommit=True, options="-c synchronous_commit=on")


@asynccontextmanager
async def running_realtime(
    databases: Databases,
    schema: str = ONE_TABLE,
    options: RealtimeOptions | None = None,
    keys: Keys | None = None,
    faults: Faults | None = None,
) -> AsyncIterator[RealtimeServer]:
    """With `keys` behind the gateway, else bare."""
    with databases.copied("platform") as name:
        database_url = databases.url(name, SUPERUSER)
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute(schema.encode())
        secret = keys.jwt_secret if keys else SECRET
        app = create_realtime_app(database_url, secret, options or RealtimeOptions(), faults)
        runner = web.AppRunner(create_gateway({_PREFIX: Service(app)}, keys) if keys else app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            yield RealtimeServer(f"ws://127.0.0.1:{port}{_PREFIX if keys else ''}", database_url, runner)
        finally:
            await runner.cleanup()


@dataclass(slots=True)
class Client:
    """A bare client of protocol 1.0.0."""

    socket: ClientConnection
    _refs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def send(self, topic: str, event: str, payload: dict[str, Any]) -> None:
        ref = str(next(self._refs))
        frame = {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": ref}
        await self.socket.send(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.socket.recv())
        return frame

    async def receive_event(self, event: str) -> dict[str, Any]:
        """The payload of the next frame named `event`; others are passed over."""
        while (frame := await self.receive())["event"] != event:
            pass
        payload: dict[str, Any] = frame["payload"]
        return payload

    async def heartbeat(self) -> list[dict[str, Any]]:
        """The frames that came before the server's answer."""
        await self.send("phoenix", "heartbeat", {})
        before: list[dict[str, Any]] = []
        while (frame := await self.receive())["topic"] != "phoenix":
            before.append(frame)
        return before

    async def open(self, topic: str, access_token: str | None = None, **config: object) -> dict[str, Any]:
        """Join with a configuration; what the server answers."""
        await self.send(topic, "phx_join", {"config": config, "access_token": access_token})
        return await self.receive_event("phx_reply")

    async def join(self, topic: str = "realtime:t", access_token: str | None = None, **binding: object) -> None:
        """Join with one binding, on INSERTs of the jobs unless told otherwise."""
        entry = {"event": "INSERT", "schema": "public", "table": JOBS, **binding}
        assert (await self.open(topic, access_token, postgres_changes=[entry]))["status"] == "ok"

    async def subscribe(self, topic: str = "realtime:t", access_token: str | None = None, **binding: object) -> None:
        """Join and wait until changes flow."""
        await self.join(topic, access_token, **binding)
        assert (await self.receive_event("system"))["status"] == "ok"


@asynccontextmanager
async def connected(server: RealtimeServer, key: str | None = None) -> AsyncIterator[Client]:
    """`key` is that of service_role unless given."""
    apikey = key or token(role="service_role")
    async with connect(
        f"{server.url}/websocket?vsn=1.0.0&apikey={apikey}", ping_interval=None, max_size=None
    ) as socket:
        yield Client(socket)
