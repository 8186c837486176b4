"""A server that looks for changes every so often tells of them no sooner, all that it finds, and in order."""

from __future__ import annotations

import asyncio

import pytest

from supabase_local.realtime import RealtimeOptions
from tests.contract.realtime.server import JOBS, connected, running_realtime
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_EVERY_S = 0.4
_INSERT = f"insert into public.{JOBS} (n) values (%s)"


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
