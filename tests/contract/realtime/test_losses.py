"""What the real server loses is lost here too, and what it survives is survived."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from supabase_local.realtime import RealtimeOptions
from tests.contract.realtime.server import JOBS, Client, RealtimeServer, connected, running_realtime
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_INSERT = f"insert into public.{JOBS} (n) values (%s)"
_END_ALL_OTHERS = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""


async def test_rows_between_reply_and_readiness_are_lost(databases: Databases) -> None:
    async with (
        running_realtime(databases, options=RealtimeOptions(ready_delay_s=0.5)) as server,
        connected(server) as witness,
        connected(server) as client,
        asyncio.timeout(10),
    ):
        await witness.subscribe()
        await client.join()
        await server.execute(_INSERT, 1)
        assert await _next_number(witness) == 1
        assert (await client.receive())["event"] == "system"
        await server.execute(_INSERT, 2)
        assert await _next_number(client) == 2


async def test_a_lost_database_connection_is_made_anew_without_a_word_to_clients(databases: Databases) -> None:
    async with running_realtime(databases) as server, connected(server) as client, asyncio.timeout(20):
        await client.subscribe()
        await server.execute(_END_ALL_OTHERS)
        first = asyncio.create_task(client.receive())
        numbers = iter(range(1000))
        while not first.done():  # rows committed before the stream is back are lost
            await server.execute(_INSERT, next(numbers))
            await asyncio.wait({first}, timeout=0.05)
        assert (await first)["event"] == "postgres_changes"


async def test_a_row_that_is_told_of_before_others_can_see_it_is_not_lost(databases: Databases) -> None:
    """A commit waits here between the log and its end, where it is otherwise for microseconds only."""
    async with running_realtime(databases) as server, connected(server) as client, asyncio.timeout(10):
        await client.subscribe()
        await _set_standbys(server, "nobody")
        try:
            insert = asyncio.create_task(server.execute(_INSERT, 1))
            heard = asyncio.create_task(_next_number(client))
            done, _ = await asyncio.wait({insert, heard}, timeout=0.5)
            assert done == set()
        finally:
            await _set_standbys(server, "")
        await insert
        assert await heard == 1


async def test_a_server_that_stops_tells_its_clients_to_come_back(databases: Databases) -> None:
    async with running_realtime(databases) as server, connected(server) as client, asyncio.timeout(10):
        await client.subscribe()
        await server.runner.cleanup()
        with pytest.raises(ConnectionClosed) as closed:
            await client.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


async def _set_standbys(server: RealtimeServer, names: str) -> None:
    await server.execute(f"alter system set synchronous_standby_names = '{names}'")
    await server.execute("select pg_reload_conf()")


async def _next_number(client: Client) -> int:
    number: int = (await client.receive_event("postgres_changes"))["data"]["record"]["n"]
    return number
