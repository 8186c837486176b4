"""A call once begun is finished, whoever still waits for it; one that can never end is given up."""

from __future__ import annotations

import asyncio

import anyio
import httpx
import psycopg
import pytest

from supabase_local.rest import app
from tests.contract.rest.server import eventually, serving
from tests.databases import Databases

pytestmark = pytest.mark.anyio

FUNCTIONS = """
create table public.seen (id int generated always as identity);
create sequence public.attempts;
create sequence public.tries;
create function public.slow_write() returns int language plpgsql as $$ begin
    perform pg_sleep(0.3);
    insert into public.seen default values;
    return 1;
end $$;
create function public.write_and_say(headers text) returns setof int language plpgsql as $$ begin
    insert into public.seen default values;
    perform set_config('response.headers', headers, true);
    return;
end $$;
create function public.never(code text) returns int language plpgsql as $$ begin
    perform nextval('public.attempts');
    raise exception 'again' using errcode = code;
end $$;
create function public.third_time() returns bigint language plpgsql as $$ begin
    if nextval('public.tries') < 3 then
        raise exception 'again' using errcode = '40001';
    end if;
    return currval('public.tries');
end $$;
"""


@pytest.fixture
def database(databases: Databases, recorded: str) -> str:
    with psycopg.connect(databases.url(recorded)) as connection:
        connection.execute(FUNCTIONS)
    return recorded


async def read(databases: Databases, database: str, query: str) -> int:
    async with await psycopg.AsyncConnection.connect(databases.url(database), autocommit=True) as connection:
        row = await (await connection.execute(query.encode())).fetchone()
    assert row is not None
    return int(row[0])


async def test_function_commits_although_its_caller_left(databases: Databases, database: str) -> None:
    async with serving(databases, database) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/rpc/slow_write", json={}, timeout=0.1)
        assert await eventually(lambda: read(databases, database, "select count(*) from public.seen")) == 1


async def test_function_commits_although_the_layer_is_shut_down(databases: Databases, database: str) -> None:
    async with serving(databases, database) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/rpc/slow_write", json={}, timeout=0.1)
    assert await read(databases, database, "select count(*) from public.seen") == 1


@pytest.mark.parametrize(
    ("asked", "status", "written"),
    [
        (("[]", "application/json"), 200, 1),
        (("no JSON", "application/json"), 500, 1),
        (("[]", "application/vnd.pgrst.object+json"), 406, 0),
    ],
)
async def test_function_is_undone_only_where_the_request_does_not_take_what_it_gives(
    databases: Databases, database: str, asked: tuple[str, str], status: int, written: int
) -> None:
    async with serving(databases, database) as client:
        headers, accept = asked
        response = await client.post("/rpc/write_and_say", json={"headers": headers}, headers={"accept": accept})
    assert response.status_code == status
    assert await read(databases, database, "select count(*) from public.seen") == written


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_retriable_error_is_retried_until_the_caller_leaves(
    databases: Databases, database: str, code: str
) -> None:
    attempts = "select last_value from public.attempts"
    async with serving(databases, database) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/rpc/never", json={"code": code}, timeout=0.5)
        assert await read(databases, database, attempts) > 3

        async def stand_still() -> bool:
            before = await read(databases, database, attempts)
            await anyio.sleep(0.1)  # twenty times the pause between two attempts
            return await read(databases, database, attempts) == before

        await eventually(stand_still)


async def test_retriable_error_is_answered_when_the_cap_is_reached(
    databases: Databases, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "RETRY_CAP_S", 0.2)
    async with serving(databases, database) as client:
        response = await client.post("/rpc/never", json={"code": "40001"})
    assert (response.status_code, response.json()["code"]) == (500, "40001")


async def test_retriable_error_that_passes_is_not_seen(databases: Databases, database: str) -> None:
    async with serving(databases, database) as client:
        response = await client.post("/rpc/third_time", json={})
    assert (response.status_code, response.text) == (200, "3")


async def test_two_calls_in_a_deadlock_are_both_done_once(databases: Databases, database: str) -> None:
    function = """
        create function public.bump_both(first bigint, second bigint) returns void language plpgsql as $$ begin
            update public.items set qty = qty + 1 where id = first;
            perform pg_sleep(0.2);
            update public.items set qty = qty + 1 where id = second;
        end $$
    """
    with psycopg.connect(databases.url(database)) as connection:
        connection.execute(function)
    async with serving(databases, database) as client:
        answers = await asyncio.gather(
            client.post("/rpc/bump_both", json={"first": 1, "second": 2}),
            client.post("/rpc/bump_both", json={"first": 2, "second": 1}),
        )
    assert [answer.status_code for answer in answers] == [204, 204]
    assert await read(databases, database, "select sum(qty) from public.items where id in (1, 2)") == 1 + 2 + 4
