"""Changes come soon, in order and complete."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

import pytest

from tests.contract.realtime.server import JOBS, connect_writer, connected, running_realtime
from tests.databases import Databases

pytestmark = pytest.mark.anyio


async def test_a_change_is_heard_within_milliseconds(databases: Databases) -> None:
    delays_ms: list[float] = []
    async with running_realtime(databases) as server, connected(server) as client:
        await client.subscribe()
        async with asyncio.timeout(30), await connect_writer(server.database_url) as writer:
            for number in range(100):
                await writer.execute(f"insert into public.{JOBS} (n) values (%s)", (number,))
                committed = time.perf_counter()
                payload = await client.receive_event("postgres_changes")
                delays_ms.append((time.perf_counter() - committed) * 1000)
                assert payload["data"]["record"]["n"] == number
    p95 = statistics.quantiles(delays_ms, n=20)[-1]
    sys.stdout.write(f"\ncommit to frame: p50 {statistics.median(delays_ms):.1f} ms, p95 {p95:.1f} ms\n")
    assert statistics.median(delays_ms) < 100


async def test_a_thousand_rows_of_one_transaction_arrive_in_order(databases: Databases) -> None:
    async with running_realtime(databases) as server, connected(server) as client:
        await client.subscribe()
        await server.execute(f"insert into public.{JOBS} (n) select generate_series(1, 1000)")
        async with asyncio.timeout(30):
            heard = [(await client.receive_event("postgres_changes"))["data"]["record"]["n"] for _ in range(1000)]
    assert heard == list(range(1, 1001))
