"""Fixtures that every suite shares."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from supabase_local.directory import StackVariables
from tests.databases import Databases, running_databases
from tests.stacks import running_stack

CHAOS = Path(__file__).parent / "chaos"

# A shell starts background commands with Ctrl-C ignored, and every process under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(CHAOS):
            item.add_marker(pytest.mark.chaos)


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


@pytest.fixture(scope="session")
def stack() -> Iterator[StackVariables]:
    """One whole stack with our migrations for a run; who uses it leaves it as it was."""
    with running_stack() as variables:
        yield variables
