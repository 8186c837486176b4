"""The unmodified `realtime` client package gets its callbacks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from realtime import (
    AsyncRealtimeClient,
    PostgresChangesPayload,
    RealtimePostgresChangesListenEvent,
    RealtimeSubscribeStates,
)

from supabase_local.keys import new_keys
from tests.contract.realtime.server import JOBS, RealtimeServer, running_realtime, token
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
