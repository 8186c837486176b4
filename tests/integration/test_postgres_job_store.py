"""The queue over a connection to its database: what becomes of calls that are given up, refused, or hindered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import anyio
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from analysis_worker.adapters import postgres
from analysis_worker.adapters.postgres import PostgresJobStore, open_job_store, read_database_url
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError
from analysis_worker.jobs import Lease
from tests.databases import as_worker

pytestmark = pytest.mark.anyio

NOWHERE = Lease(uuid4(), uuid4())
_Connection = psycopg.AsyncConnection[tuple[str]]
Owner = psycopg.AsyncConnection[tuple[object, ...]]


@pytest.fixture
async def queue(migrated: str) -> AsyncIterator[tuple[PostgresJobStore, Owner]]:
    """As a worker, and its owner beside it."""
    async with (
        open_job_store(read_database_url(as_worker(migrated))) as store,
        await psycopg.AsyncConnection.connect(migrated, autocommit=True) as owner,
    ):
        yield store, owner


async def test_calls_that_are_given_up_cost_their_connections_and_not_the_pool(
    queue: tuple[PostgresJobStore, Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, owner = queue
    async with owner.transaction():
        await owner.execute("lock table public.analysis_jobs")
        for _ in range(3):
            with anyio.move_on_after(0.05) as cancelled:
                async with anyio.create_task_group() as group:
                    for _ in range(6):
                        group.start_soon(store.report_progress, NOWHERE, 0.5, "x", None)
            assert cancelled.cancelled_caught
        monkeypatch.setattr(postgres, "_CALL_SECONDS", 0.05)
        with pytest.raises(StoreUnavailableError, match="report_progress: TimeoutError"):
            await store.report_progress(NOWHERE, 0.5, "x", None)
    monkeypatch.undo()
    with anyio.fail_after(10):
        for _ in range(6):
            assert not await store.report_progress(NOWHERE, 0.5, "x", None)


class BusyPool(AsyncConnectionPool[_Connection]):
    """Where somebody else is always just being served: who brings a connection back has to wait."""

    async def putconn(self, conn: _Connection) -> None:
        await anyio.lowlevel.checkpoint()
        await super().putconn(conn)


async def test_calls_that_are_given_up_while_the_pool_is_busy_give_their_connections_back(
    migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "AsyncConnectionPool", BusyPool)
    monkeypatch.setattr(postgres, "_CONNECTIONS", 1)
    async with (
        open_job_store(read_database_url(as_worker(migrated))) as store,
        await psycopg.AsyncConnection.connect(migrated) as owner,
    ):
        await owner.execute("lock table public.analysis_jobs")
        with anyio.move_on_after(0.5) as cancelled:
            await store.report_progress(NOWHERE, 0.5, "x", None)
        assert cancelled.cancelled_caught
        await owner.rollback()
        assert not await store.report_progress(NOWHERE, 0.5, "x", None)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["nul", "surrogate"])
async def test_text_that_postgresql_cannot_hold_is_refused(queue: tuple[PostgresJobStore, Owner], text: str) -> None:
    store, _ = queue
    with pytest.raises(StoreRejectedError):
        await store.report_progress(NOWHERE, 0.5, text, None)


async def test_a_mistake_in_a_call_is_refused_by_its_code(queue: tuple[PostgresJobStore, Owner]) -> None:
    store, _ = queue
    with pytest.raises(StoreRejectedError, match="PT400: claim_job: max_jobs must be between 1 and 100"):
        await store.claim("w1", uuid4(), ["double"], 101)


async def test_a_function_that_is_not_there_is_refused(queue: tuple[PostgresJobStore, Owner]) -> None:
    store, owner = queue
    await owner.execute("alter function public.reconcile_jobs() rename to reconciled_jobs")
    with pytest.raises(StoreRejectedError, match="42883"):
        await store.reconcile()


async def test_a_right_that_is_missing_may_be_given_yet(queue: tuple[PostgresJobStore, Owner]) -> None:
    store, owner = queue
    await owner.execute("revoke execute on function public.reconcile_jobs() from analysis_worker")
    with pytest.raises(StoreUnavailableError, match="42501"):
        await store.reconcile()


async def test_a_statement_that_the_server_gives_up_may_be_sent_again(
    queue: tuple[PostgresJobStore, Owner], monkeypatch: pytest.MonkeyPatch, migrated: str
) -> None:
    _, owner = queue
    monkeypatch.setattr(postgres, "_STATEMENT_TIMEOUT", "set statement_timeout = '50ms'")
    async with open_job_store(read_database_url(as_worker(migrated))) as store:
        async with owner.transaction():
            await owner.execute("lock table public.analysis_jobs")
            with pytest.raises(StoreUnavailableError, match="57014"):
                await store.report_progress(NOWHERE, 0.5, "x", None)
        assert not await store.report_progress(NOWHERE, 0.5, "x", None)
