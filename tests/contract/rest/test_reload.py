"""What changes in the schema is seen after `notify pgrst, 'reload schema'`, and half seen before it."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from tests.contract.rest.server import eventually, serving
from tests.databases import Databases

pytestmark = pytest.mark.anyio


def run(databases: Databases, database: str, statement: str) -> None:
    with psycopg.connect(databases.url(database), autocommit=True) as connection:
        connection.execute(statement.encode())


async def call(client: httpx.AsyncClient, function: str, arguments: dict[str, int]) -> tuple[int, str]:
    response = await client.post(f"/rpc/{function}", json=arguments)
    return response.status_code, response.text if response.is_success else response.json()["code"]


async def test_new_function_is_known_after_a_notification(databases: Databases, recorded: str) -> None:
    async with serving(databases, recorded) as client:
        run(databases, recorded, "create function public.newcomer() returns int language sql as 'select 7'")
        assert await call(client, "newcomer", {}) == (404, "PGRST202")
        run(databases, recorded, "notify pgrst, 'reload schema'")

        async def is_known() -> bool:
            return await call(client, "newcomer", {}) == (200, "7")

        await eventually(is_known)


async def test_dropped_function_is_missed_by_the_database_itself(databases: Databases, recorded: str) -> None:
    async with serving(databases, recorded) as client:
        assert await call(client, "add_them", {"a": 1, "b": 2}) == (200, "3")
        run(databases, recorded, "drop function public.add_them")
        response = await client.post("/rpc/add_them", json={"a": 1, "b": 2})
        assert (response.status_code, response.json()["code"]) == (404, "42883")
        assert response.json()["message"] == "function public.add_them(a => integer, b => integer) does not exist"


async def test_function_that_now_gives_rows_gives_one_until_the_reload(databases: Databases, recorded: str) -> None:
    async with serving(databases, recorded) as client:
        run(databases, recorded, "drop function public.no_args")
        rows = "create function public.no_args() returns setof int language sql as 'select generate_series(1, 3)'"
        run(databases, recorded, rows)
        assert await call(client, "no_args", {}) == (200, "1")


async def test_new_column_can_be_read_but_not_written_before_the_reload(databases: Databases, recorded: str) -> None:
    async with serving(databases, recorded) as client:
        run(databases, recorded, "alter table public.items add column extra int")
        response = await client.get("/items", params={"select": "extra", "limit": "1"})
        assert (response.status_code, response.text) == (200, '[{"extra":null}]')
        response = await client.post("/items", json={"name": "x", "extra": 1})
        assert (response.status_code, response.json()["code"]) == (400, "PGRST204")
