"""The databases that SQL tests start with."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.databases import Databases
from tests.sql.factories import Queue


@pytest.fixture
def queue(migrated: str) -> Iterator[Queue]:
    """A database of the test's own."""
    with psycopg.connect(migrated, autocommit=True) as owner:
        queue = Queue(migrated, owner)
        yield queue
        queue.close()


@pytest.fixture(scope="module")
def read_queue(databases: Databases) -> Iterator[Queue]:
    """A database for all tests of a module, for those that change nothing."""
    with databases.copied("migrated") as name, psycopg.connect(databases.url(name), autocommit=True) as owner:
        queue = Queue(databases.url(name), owner)
        yield queue
        queue.close()
