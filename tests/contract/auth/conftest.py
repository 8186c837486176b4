"""The Auth service on a port of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import psycopg
import pytest
from aiohttp.test_utils import TestServer

from supabase_local.auth import create_auth_app
from supabase_local.keys import new_keys
from tests.contract.auth.client import Auth, Clock
from tests.databases import Databases

ISSUER = "http://127.0.0.1/auth/v1"


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[str]:
    with databases.copied("platform") as name:
        yield name


@pytest.fixture
async def auth(databases: Databases, database: str) -> AsyncIterator[Auth]:
    with psycopg.connect(databases.url(database)) as connection:
        connection.execute("truncate auth.users cascade")
    keys, clock = new_keys(), Clock()
    url = databases.url(database, "supabase_auth_admin")
    server = TestServer(create_auth_app(url, keys.jwt_secret, ISSUER, clock.now))
    await server.start_server()
    try:
        async with httpx.AsyncClient(base_url=str(server.make_url(""))) as http:
            yield Auth(http, keys, databases.url(database), clock)
    finally:
        await server.close()
