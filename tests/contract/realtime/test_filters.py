"""Filters and column lists that no recording shows, as the Python client documents them."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.realtime.server import JOBS, connected, running_realtime
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_ROWS = [(1, "pending"), (2, "done"), (3, None), (99, "end")]
_INSERT = f"insert into public.{JOBS} (n, status) values (%s, %s)"


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ("status=not.in.(pending,end)", [2]),
        ("status=is.null", [3]),
        ("status=not.is.null", [1, 2, 99]),
        ("status=isdistinct.done", [1, 3, 99]),
        ("status=not.isdistinct.done", [2]),
        ("status=like.%en%,n=not.gt.50", [1]),
        ("status=imatch.^DO", [2]),
    ],
)
async def test_a_filter_passes_what_it_says(databases: Databases, wanted: str, heard: list[int]) -> None:
    async with running_realtime(databases) as server, connected(server) as client, asyncio.timeout(10):
        await client.subscribe("realtime:filtered", filter=wanted)
        await client.subscribe("realtime:end", filter="n=eq.99")
        for row in _ROWS:
            await server.execute(_INSERT, *row)
        numbers = []
        while (frame := await client.receive())["topic"] != "realtime:end":
            numbers.append(frame["payload"]["data"]["record"]["n"])
    assert numbers == heard


async def test_each_list_of_columns_gets_a_frame_of_its_own_with_the_key(databases: Databases) -> None:
    entry = {"event": "*", "schema": "public", "table": JOBS}
    bindings = [entry, {**entry, "select": ["n"]}, {**entry, "select": ["n"], "event": "INSERT"}]
    async with running_realtime(databases) as server, connected(server) as client, asyncio.timeout(10):
        joined = await client.open("realtime:t", postgres_changes=bindings)
        ids = [binding["id"] for binding in joined["response"]["postgres_changes"]]
        assert (await client.receive_event("system"))["status"] == "ok"
        await server.execute(_INSERT, 1, "pending")
        whole, narrow = [await client.receive_event("postgres_changes") for _ in range(2)]
    assert (whole["ids"], narrow["ids"]) == (ids[:1], ids[1:])
    assert list(whole["data"]["record"]) == ["id", "user_id", "status", "n"]
    assert list(narrow["data"]["record"]) == ["id", "n"]
    assert [column["name"] for column in narrow["data"]["columns"]] == ["id", "n"]


async def test_a_column_that_is_not_there_cannot_be_selected(databases: Databases) -> None:
    async with running_realtime(databases) as server, connected(server) as client, asyncio.timeout(10):
        await client.join(select=["nothing"])
        told = await client.receive_event("system")
    assert told["status"] == "error"
    assert told["message"].endswith("Exception: ERROR P0001 (raise_exception) invalid column for select nothing")
