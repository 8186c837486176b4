"""The unmodified `realtime` client package gets its callbacks."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from realtime import (
    AsyncRealtimeClient,
    BroadcastPayload,
    PostgresChangesPayload,
    RealtimePostgresChangesListenEvent,
    RealtimeSubscribeStates,
)

from supabase_local.keys import new_keys
from tests.contract.realtime.server import JOBS, RealtimeServer, connect_writer, running_realtime, token
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_OWNER = "11111111-1111-4111-8111-111111111111"
_OTHER = "22222222-2222-4222-8222-222222222222"
_INSERT = f"insert into public.{JOBS} (user_id, status) values (%s, %s)"


async def _heard(server: RealtimeServer, key: str, condition: str | None, sentinel: tuple[str, str]) -> list[Any]:
    """The user and status of every row a client hears of, up to `sentinel`, while the same four rows are inserted."""
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    ready = asyncio.Event()

    def hear(change: PostgresChangesPayload) -> None:
        record = change["data"]["record"] or {}
        heard.put_nowait((record["user_id"], record["status"]))

    client = AsyncRealtimeClient(server.url, key)
    try:
        channel = client.channel("jobs").on_postgres_changes(
            RealtimePostgresChangesListenEvent.Insert,
            hear,
            table=JOBS,
            schema="public",
            filter=condition,
        )
        channel.on_system(lambda _: ready.set())
        states: list[RealtimeSubscribeStates] = []
        await channel.subscribe(lambda state, _: states.append(state))
        async with asyncio.timeout(10):
            await ready.wait()
            for user, status in [(_OTHER, "pending"), (_OWNER, "done"), (_OTHER, "done"), (_OWNER, "pending")]:
                await server.execute(_INSERT, user, status)
            rows = [await heard.get()]
            while rows[-1] != sentinel:
                rows.append(await heard.get())
        assert states == [RealtimeSubscribeStates.SUBSCRIBED]
        return rows
    finally:
        await client.close()


async def test_a_worker_hears_of_the_inserts_that_its_filter_passes(databases: Databases) -> None:
    async with running_realtime(databases) as server:
        rows = await _heard(server, token(role="service_role"), "status=eq.pending", (_OWNER, "pending"))
    assert rows == [(_OTHER, "pending"), (_OWNER, "pending")]


async def test_a_user_hears_of_own_rows_only(databases: Databases) -> None:
    async with running_realtime(databases) as server:
        rows = await _heard(server, token(role="authenticated", sub=_OWNER), None, (_OWNER, "pending"))
    assert rows == [(_OWNER, "done"), (_OWNER, "pending")]


async def test_a_client_with_an_opaque_key_is_served_behind_the_gateway(databases: Databases) -> None:
    keys = new_keys()
    async with running_realtime(databases, keys=keys) as server:
        rows = await _heard(server, keys.secret_key, "status=eq.pending", (_OWNER, "pending"))
    assert rows == [(_OTHER, "pending"), (_OWNER, "pending")]


@asynccontextmanager
async def _on_topic(
    server: RealtimeServer, key: str, **broadcast: Any
) -> AsyncIterator[asyncio.Queue[tuple[int, float]]]:
    """The number of every message on the private topic `bell`, and when its callback ran."""
    heard: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
    ready = asyncio.Event()

    def hear(message: BroadcastPayload) -> None:
        heard.put_nowait((message["payload"]["n"], time.perf_counter()))

    client = AsyncRealtimeClient(server.url, key)
    try:
        config: Any = {"private": True, "broadcast": {"replication_ready": True, **broadcast}}
        channel = client.channel("bell", {"config": config}).on_broadcast("job", hear)
        channel.on_system(lambda _: ready.set())
        await channel.subscribe()
        async with asyncio.timeout(10):
            await ready.wait()
        yield heard
    finally:
        await client.close()


_SEND = "select realtime.send(jsonb_build_object('n', %s::int), 'job', 'bell')"


async def test_a_broadcast_from_the_database_reaches_a_callback_within_milliseconds(databases: Databases) -> None:
    delays_ms: list[float] = []
    async with (
        running_realtime(databases) as server,
        _on_topic(server, token(role="service_role")) as heard,
        asyncio.timeout(30),
        await connect_writer(server.database_url) as writer,
    ):
        for number in range(200):
            await writer.execute(_SEND, (number,))
            committed = time.perf_counter()
            message, heard_at = await heard.get()
            delays_ms.append((heard_at - committed) * 1000)
            assert message == number
    p95 = statistics.quantiles(delays_ms, n=20)[-1]
    sys.stdout.write(f"\ncommit to callback: p50 {statistics.median(delays_ms):.1f} ms, p95 {p95:.1f} ms\n")
    assert statistics.median(delays_ms) < 50


async def test_a_late_client_gets_what_was_said_replayed_and_then_goes_on(databases: Databases) -> None:
    replay = {"since": int((time.time() - 60) * 1000), "limit": 2}
    async with running_realtime(databases) as server, asyncio.timeout(10):
        for number in range(3):
            await server.execute(_SEND, number)
        async with _on_topic(server, token(role="service_role"), replay=replay) as heard:
            await server.execute(_SEND, 3)
            assert [(await heard.get())[0] for _ in range(3)] == [1, 2, 3]
