"""Fixtures that every suite shares."""

from collections.abc import Iterator

import pytest

from tests.databases import Databases, running_databases


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The run's PostgreSQL server."""
    with running_databases() as running:
        yield running


@pytest.fixture
def migrated(databases: Databases) -> Iterator[str]:
    """URL, as `postgres`, of a fresh database with the platform's objects and our migrations."""
    with databases.copied("migrated") as name:
        yield databases.url(name)
