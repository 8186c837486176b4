"""What is answered while the database is away, and that nothing has to be done when it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from supabase_local.postgres import SUPERUSER
from supabase_local.rest import backend
from tests.contract.rest.server import eventually, serving
from tests.databases import Databases, running_databases

pytestmark = pytest.mark.anyio

Own = tuple[Databases, str]  # a server that may be stopped, and a database in it
Reply = tuple[int, Any, str | None]  # status, body, retry-after
AWAY = {
    "code": "PGRST002",
    "details": None,
    "hint": None,
    "message": "Could not query the database for the schema cache. Retrying.",
}
BROKEN = {
    "code": "PGRST001",
    "details": "no connection to the server\n",
    "hint": None,
    "message": "Database client error. Retrying the connection.",
}
TERMINATED = {
    "code": "57P01",
    "details": None,
    "hint": None,
    "message": "terminating connection due to administrator command",
}
ASLEEP = "query ilike '%slow%' and wait_event = 'PgSleep'"
FUNCTIONS = """
create function public.answer() returns int language sql stable as 'select 42';
create function public.slow() returns int language plpgsql as 'begin perform pg_sleep(5); return 1; end';
"""


@pytest.fixture(scope="module")
def own() -> Iterator[Own]:
    """No other test uses it."""
    with running_databases() as databases:
        name = databases.copy("platform")
        with psycopg.connect(databases.url(name)) as connection:
            connection.execute(FUNCTIONS)
        yield databases, name


async def call(client: httpx.AsyncClient, function: str = "answer") -> Reply:
    response = await client.post(f"/rpc/{function}", json={})
    return response.status_code, response.json(), response.headers.get("retry-after")


async def call_until(client: httpx.AsyncClient, wanted: Reply) -> list[Reply]:
    """Call until the wanted answer comes; gives the other answers that came before it."""
    others: list[Reply] = []

    async def came() -> bool:
        others.append(await call(client))
        return others[-1] == wanted

    await eventually(came)
    return others[:-1]


async def kill(own: Own, which: str) -> None:
    """End the REST layer's connections that match a condition on pg_stat_activity; waits for one, and for its end."""
    pids = await signal(own, which, "pg_terminate_backend")

    async def gone() -> bool:
        return not await matching(own, f"pid = any('{{{','.join(map(str, pids))}}}')", "pid")

    await eventually(gone)


async def signal(own: Own, which: str, function: str) -> list[int]:
    return await eventually(lambda: matching(own, which, f"pid, {function}(pid)"))


async def matching(own: Own, which: str, columns: str) -> list[int]:
    databases, name = own
    query = f"select {columns} from pg_stat_activity where usename = 'authenticator' and {which}"
    url = databases.url(name, SUPERUSER)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return [row[0] for row in await (await connection.execute(query.encode())).fetchall()]


async def test_stopped_database_is_answered_with_503_until_it_is_back(own: Own) -> None:
    databases, _ = own
    async with serving(*own) as client:
        assert await call(client) == (200, 42, None)
        await asyncio.to_thread(databases.server.stop, "fast")
        others = await call_until(client, (503, AWAY, "0"))
        assert all(answer in ((503, TERMINATED, "0"), (503, BROKEN, "0")) for answer in others)
        await asyncio.to_thread(databases.server.start)
        assert all(answer == (503, AWAY, "0") for answer in await call_until(client, (200, 42, None)))


async def test_crashed_database_gives_no_answer_that_a_client_could_not_take_for_an_outage(
    own: Own,
) -> None:
    databases, _ = own
    unknown = {"code": "", "details": None, "hint": None, "message": ""}
    async with serving(*own) as client:
        assert await call(client) == (200, 42, None)
        await asyncio.to_thread(databases.server.stop, "immediate")
        others = await call_until(client, (503, AWAY, "0"))
        assert all(answer[0] == 503 or answer == (400, unknown, None) for answer in others)
        await asyncio.to_thread(databases.server.start)
        await call_until(client, (200, 42, None))


async def test_layer_started_without_a_database_waits_for_one(own: Own) -> None:
    databases, _ = own
    await asyncio.to_thread(databases.server.stop, "fast")
    async with serving(*own) as client:
        assert await call(client) == (503, AWAY, "0")
        await asyncio.to_thread(databases.server.start)
        await call_until(client, (200, 42, None))


async def test_idle_connection_that_was_ended_costs_one_call(own: Own) -> None:
    async with serving(*own) as client:
        assert await call(client) == (200, 42, None)
        await kill(own, "state = 'idle' and query <> 'listen pgrst'")
        assert await call(client) == (503, TERMINATED, "0")
        assert await call(client) == (200, 42, None)


async def test_call_whose_connection_was_ended_says_that_its_outcome_is_unknown(own: Own) -> None:
    async with serving(*own) as client, asyncio.TaskGroup() as group:
        running = group.create_task(call(client, "slow"))
        await kill(own, ASLEEP)
        assert await running == (503, BROKEN, "0")
        assert await call(client) == (200, 42, None)


async def test_cancelled_statement_is_an_error_of_its_own(own: Own) -> None:
    async with serving(*own) as client, asyncio.TaskGroup() as group:
        running = group.create_task(call(client, "slow"))
        await signal(own, ASLEEP, "pg_cancel_backend")
        status, body, _ = await running
        assert (status, body["code"], body["message"]) == (500, "57014", "canceling statement due to user request")


async def test_lost_listener_is_not_noticed_by_callers(own: Own) -> None:
    listening = "query = 'listen pgrst'"
    async with serving(*own) as client:
        await kill(own, listening)
        started = time.monotonic()
        while time.monotonic() < started + 1:
            assert await call(client) == (200, 42, None)
        await kill(own, listening)  # there is a new one


async def test_call_gives_up_when_no_connection_gets_free(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "POOL_TIMEOUT_S", 0.3)
    monkeypatch.setattr(backend, "POOL_SIZE", 1)
    async with serving(*own) as client, asyncio.TaskGroup() as group:
        running = group.create_task(call(client, "slow"))
        while True:
            status, body, retry_after = await call(client)
            if status != 200:
                break
        assert (status, body["code"], retry_after) == (504, "PGRST003", None)
        await kill(own, ASLEEP)
        await running
