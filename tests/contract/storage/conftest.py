"""The Storage service on a port of its own, with three buckets and a policy per verb."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from aiohttp.test_utils import TestServer

from supabase_local.keys import new_keys
from supabase_local.storage import create_storage_app
from tests.contract.auth.client import Clock
from tests.contract.storage.client import BUCKETS, POLICIES, Storage
from tests.databases import Databases


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[str]:
    with databases.copied("platform") as name:
        with psycopg.connect(databases.url(name)) as connection:
            connection.execute(POLICIES.encode())
        yield name


@pytest.fixture
async def storage(databases: Databases, database: str, tmp_path: Path) -> AsyncIterator[Storage]:
    with psycopg.connect(databases.url(database)) as connection:
        connection.execute("truncate storage.objects, storage.buckets")
        connection.execute(BUCKETS.encode())
    keys, clock = new_keys(), Clock()
    url = databases.url(database, "supabase_storage_admin")
    server = TestServer(create_storage_app(url, keys.jwt_secret, tmp_path, clock.now))
    await server.start_server()
    try:
        async with httpx.AsyncClient(base_url=str(server.make_url(""))) as http:
            yield Storage(http, keys, tmp_path, databases.url(database), clock)
    finally:
        await server.close()
