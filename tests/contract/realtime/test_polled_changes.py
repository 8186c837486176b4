"""A server that looks for changes every so often tells of them no sooner, all at once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from supabase_local.realtime import RealtimeOptions
from supabase_local.realtime.changes import convert
from tests.contract.realtime.server import JOBS, ONE_TABLE, connect_writer, connected, running_realtime, token
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_EVERY_S = 0.4
_INSERT = f"insert into public.{JOBS} (n) values (%s)"
_OWNER = "11111111-1111-4111-8111-111111111111"
_PUBLISH_UNHEARD = "alter publication supabase_realtime add table public.unheard"


async def test_changes_wait_for_the_next_look(databases: Databases) -> None:
    loop = asyncio.get_running_loop()
    async with (
        running_realtime(databases, options=RealtimeOptions(changes_every_s=_EVERY_S)) as server,
        connected(server) as client,
        asyncio.timeout(10),
    ):
        await client.subscribe()
        for number in range(5):
            inserted_at = loop.time()
            await server.execute(_INSERT, number)
            heard = (await client.receive())["payload"]["data"]["record"]["n"]
            assert heard == number
            assert loop.time() // _EVERY_S > inserted_at // _EVERY_S


async def test_one_look_asks_the_database_once_for_many_transactions(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def counted(connection: Any, table: Any, relation: Any, batch: Sequence[Any], filters: Any) -> Any:
        asked.append(len(batch))
        return await convert(connection, table, relation, batch, filters)

    monkeypatch.setattr("supabase_local.realtime.delivery.convert", counted)
    schema = f"{ONE_TABLE}; create table public.unheard (n int primary key); {_PUBLISH_UNHEARD}"
    async with (
        running_realtime(databases, schema, RealtimeOptions(changes_every_s=_EVERY_S)) as server,
        connected(server) as client,
        asyncio.timeout(10),
    ):
        await client.subscribe()
        async with await connect_writer(server.database_url) as writer:
            await _next_look()
            for number in range(20):
                await writer.execute(_INSERT, (number,))
                await writer.execute("insert into public.unheard values (%s)", (number,))
        heard = [(await client.receive_event("postgres_changes"))["data"] for _ in range(20)]
    assert [data["record"]["n"] for data in heard] == list(range(20))
    assert len({data["commit_timestamp"] for data in heard}) > 1
    assert sum(asked) == 20
    assert len(asked) <= 2  # two where the machine was too slow for one look


async def test_rows_are_told_to_those_who_may_read_them_by_then(databases: Databases) -> None:
    owner = token(role="authenticated", sub=_OWNER)
    async with (
        running_realtime(databases, options=RealtimeOptions(changes_every_s=_EVERY_S)) as server,
        connected(server, owner) as client,
        asyncio.timeout(10),
    ):
        await client.subscribe()
        async with await connect_writer(server.database_url) as writer:
            await _next_look()
            for number in range(2):
                await writer.execute(f"insert into public.{JOBS} (user_id, n) values (%s, %s)", (_OWNER, number))
            await writer.execute(f"update public.{JOBS} set user_id = gen_random_uuid() where n = 0")
        assert (await client.receive_event("postgres_changes"))["data"]["record"]["n"] == 1


async def test_broadcasts_do_not_wait_for_the_next_look(databases: Databases) -> None:
    async with (
        running_realtime(databases, options=RealtimeOptions(changes_every_s=_EVERY_S)) as server,
        connected(server) as client,
        asyncio.timeout(10),
    ):
        await client.open("realtime:bell", private=True, broadcast={"replication_ready": True})
        assert (await client.receive_event("system"))["status"] == "ok"
        await client.subscribe()
        await _next_look()
        await server.execute(_INSERT, 1)
        await server.execute("select realtime.send('{}', 'job', 'bell')")
        assert [(await client.receive())["event"] for _ in range(2)] == ["broadcast", "postgres_changes"]


async def _next_look() -> None:
    """A moment after it, so that what follows is seen by one look."""
    await asyncio.sleep(_EVERY_S - asyncio.get_running_loop().time() % _EVERY_S + 0.01)
