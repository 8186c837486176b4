"""The REST layer on a port of its own, over a database with the recordings' schema."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import anyio
import httpx
import psycopg
from aiohttp import web

from supabase_local.postgres import SUPERUSER
from supabase_local.rest import create_rest_app
from supabase_local.temporary import free_port
from tests.contract.rest.recorded_tokens import SECRET, recorded_headers
from tests.contract.rest.recordings import TRUTH, Answer, Case
from tests.databases import Databases

PREFIX = "/rest/v1"
Seen = TypeVar("Seen")
Replayed = Callable[[str, Case], Answer]
_POOR_ROLE = """
    do $$ begin
        if not exists (select from pg_catalog.pg_roles where rolname = 'poor') then
            create role poor nologin noinherit;
            grant poor to authenticator;
        end if;
    end $$;
    revoke usage on schema public from public
"""


@contextmanager
def recorded_database(databases: Databases) -> Iterator[str]:
    """The name of a fresh database with the schema, the roles and the rows that the recordings began with."""
    with databases.copied("platform") as name:
        with psycopg.connect(databases.url(name, SUPERUSER)) as connection:
            connection.execute(_POOR_ROLE.encode())
        with psycopg.connect(databases.url(name)) as connection:
            connection.execute((TRUTH / "schema.sql").read_bytes())
        yield name


@asynccontextmanager
async def serving(databases: Databases, database: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a REST layer that is mounted as a gateway mounts it."""
    port = free_port()
    root = web.Application()
    root.add_subapp(PREFIX, create_rest_app(databases.url(database, "authenticator"), SECRET))
    runner = web.AppRunner(root, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}{PREFIX}", timeout=20, trust_env=False
        ) as client:
            yield client
    finally:
        await runner.cleanup()


async def eventually(look: Callable[[], Awaitable[Seen]]) -> Seen:
    """Look again and again until there is something to see; fails after ten seconds."""
    with anyio.fail_after(10):
        while True:
            if seen := await look():
                return seen
            await anyio.sleep(0.02)


async def replay(client: httpx.AsyncClient, case: Case) -> Answer:
    url = case.path.removeprefix(PREFIX)
    content = None if case.body is None else case.body.encode()
    response = await client.request(case.method, url, headers=recorded_headers(case), content=content)
    headers = tuple(response.headers.multi_items())
    return Answer(response.status_code, response.reason_phrase, headers, response.text)
