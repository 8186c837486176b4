"""What the recordings do not show of who may read what."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.realtime.server import JOBS, ONE_TABLE, connected, running_realtime, token
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_OWNER = "11111111-1111-4111-8111-111111111111"
_INSERT = f"insert into public.{JOBS} (user_id, n) values (%s, %s)"


async def test_a_delete_tells_the_key_alone_even_where_the_whole_old_row_is_logged(databases: Databases) -> None:
    schema = f"{ONE_TABLE}; alter table public.{JOBS} replica identity full;"
    stranger = token(role="anon")
    async with (
        running_realtime(databases, schema) as server,
        connected(server, stranger) as client,
        asyncio.timeout(10),
    ):
        await client.subscribe(event="*")
        await server.execute(_INSERT, _OWNER, 1)
        await server.execute(f"delete from public.{JOBS}")
        data = (await client.receive_event("postgres_changes"))["data"]
    assert data["type"] == "DELETE"
    assert list(data["old_record"]) == ["id"]


async def test_a_subscriber_whose_claims_break_a_policy_does_not_deafen_others(databases: Databases) -> None:
    broken = token(role="authenticated", sub="not-a-uuid")
    owner = token(role="authenticated", sub=_OWNER)
    async with (
        running_realtime(databases) as server,
        connected(server, broken) as unlucky,
        connected(server, owner) as client,
        asyncio.timeout(10),
    ):
        await unlucky.subscribe(event="*")
        await client.subscribe(event="*")
        await server.execute(_INSERT, _OWNER, 1)
        assert (await client.receive_event("postgres_changes"))["data"]["record"]["n"] == 1
        await server.execute(f"delete from public.{JOBS}")
        assert (await unlucky.receive_event("postgres_changes"))["data"]["type"] == "DELETE"


async def test_a_table_without_primary_key_tells_subscribers_why_they_get_nothing(databases: Databases) -> None:
    schema = "create table public.keyless (n int); alter publication supabase_realtime add table public.keyless;"
    async with running_realtime(databases, schema) as server, connected(server) as client, asyncio.timeout(10):
        await client.subscribe(table="keyless")
        await server.execute("insert into public.keyless values (1)")
        data = (await client.receive_event("postgres_changes"))["data"]
    assert (data["record"], data["errors"]) == ({}, ["Error 400: Bad Request, no primary key"])
