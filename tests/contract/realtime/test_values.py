"""Values arrive as PostgreSQL itself turns them into JSON, whatever the names of columns and types."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.realtime.server import connected, running_realtime
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_SCHEMA = """
set role postgres;
create type public.mood as enum ('so so', 'well');
create table public.odd (
    "a""b" int, "the key" text, moods public.mood[], amount numeric(20, 5), ratio float8, raw bytea, day date,
    short char(3), yes boolean, many int[], document json, span interval, at timestamptz,
    primary key ("a""b", "the key")
);
alter publication supabase_realtime add table public.odd;
"""
_INSERT = """
insert into public.odd values (
    1, '50%', '{so so,well}', 12345678901.12300, 0.1, '\\xdead', '2026-01-31', 'x', true, '{1,null}', '{"a": [1]}',
    '1 day 2:00', '2026-01-31 10:00-03'
)
"""
_RECORD = {
    'a"b': 1,
    "the key": "50%",
    "moods": ["so so", "well"],
    "amount": 12345678901.123,
    "ratio": 0.1,
    "raw": "\\xdead",
    "day": "2026-01-31",
    "short": "x  ",
    "yes": True,
    "many": [1, None],
    "document": {"a": [1]},
    "span": "1 day 02:00:00",
    "at": "2026-01-31T13:00:00+00:00",
}


async def test_values_of_many_types_arrive_as_json(databases: Databases) -> None:
    async with running_realtime(databases, _SCHEMA) as server, connected(server) as client, asyncio.timeout(10):
        await client.subscribe(table="odd", filter="the key=eq.50%,amount=gt.1,day=lte.2026-01-31,ratio=neq.1")
        await server.execute('insert into public.odd ("a""b", "the key", amount) values (0, \'50%\', 1)')
        await server.execute(_INSERT)
        data = (await client.receive_event("postgres_changes"))["data"]
    assert data["record"] == _RECORD
    types = {column["name"]: column["type"] for column in data["columns"]}
    assert (types["moods"], types["short"], types["at"]) == ("_mood", "bpchar", "timestamptz")


async def test_an_update_of_the_key_tells_the_old_one(databases: Databases) -> None:
    async with running_realtime(databases, _SCHEMA) as server, connected(server) as client, asyncio.timeout(10):
        await client.subscribe(table="odd", event="UPDATE")
        await server.execute(_INSERT)
        await server.execute("update public.odd set \"the key\" = 'new'")
        data = (await client.receive_event("postgres_changes"))["data"]
    assert data["old_record"] == {'a"b': 1, "the key": "50%"}
    assert data["record"] == _RECORD | {"the key": "new"}
