"""The worker's ear next to the database: what it hears, and how it comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

import anyio
import psycopg
import pytest
from psycopg.types.json import Jsonb

from analysis_worker.adapters.listen import ListenWakeSource
from analysis_worker.adapters.postgres import read_database_url
from analysis_worker.wakes import ListenerState, WakeReason
from supabase_local.temporary import free_port
from tests.databases import Databases, as_worker
from tests.integration.test_realtime_wake_source import WAIT_SECONDS, Notes, cancel, claim, eventually

pytestmark = pytest.mark.anyio

TYPE = "heard"
LISTENERS = "select pid from pg_stat_activity where datname = current_database() and query = 'listen analysis_jobs'"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    """A database for all of these."""
    with databases.copied("migrated") as name:
        yield databases.url(name)


@pytest.fixture
async def database(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", (TYPE,))
        yield connection


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[tuple[ListenWakeSource, Notes]]:
    source, notes = ListenWakeSource(read_database_url(url)), Notes()
    async with anyio.create_task_group() as group:
        group.start_soon(source.run, notes)
        yield source, notes
        group.cancel_scope.cancel()


async def enqueue(database: psycopg.AsyncConnection, count: int = 1) -> UUID:
    statement = "insert into public.analysis_jobs (type, input) select %s, %s from generate_series(1, %s) returning id"
    row = await (await database.execute(statement, (TYPE, Jsonb({}), count))).fetchone()
    assert row is not None
    job_id: UUID = row[0]
    return job_id


async def listeners(database: psycopg.AsyncConnection) -> list[int]:
    """The server ends a session some moments after its client has gone."""
    with anyio.fail_after(WAIT_SECONDS):
        while len(found := await (await database.execute(LISTENERS)).fetchall()) > 1:  # noqa: ASYNC110 - nobody tells
            await anyio.sleep(0.01)
    return [row[0] for row in found]


async def test_a_worker_without_any_right_to_tables_hears_of_a_new_job(
    url: str, database: psycopg.AsyncConnection
) -> None:
    async with listening(as_worker(url)) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        assert notes.wakes == [(WakeReason.SWEEP, None)]
        job_id = await enqueue(database)
        await eventually(lambda: notes.wakes[1:] == [(WakeReason.DOORBELL, job_id)])


async def test_several_jobs_of_one_statement_are_one_ring(url: str, database: psycopg.AsyncConnection) -> None:
    async with listening(url) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        await enqueue(database, count=10)
        await eventually(lambda: notes.wakes[1:] == [(WakeReason.DOORBELL, None)])


async def test_a_cancel_is_heard_as_one(url: str, database: psycopg.AsyncConnection) -> None:
    async with listening(url) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        job_id = await enqueue(database)
        await claim(database)
        await cancel(database, job_id)
        await eventually(lambda: notes.cancels == [job_id])


async def test_what_is_no_message_of_ours_makes_it_look_anyway(url: str, database: psycopg.AsyncConnection) -> None:
    async with listening(url) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        for payload in ("", "job", "[1]", '{"job_id": "x"}', '{"event": "else"}'):
            await database.execute("select pg_notify('analysis_jobs', %s)", (payload,))
        await eventually(lambda: notes.wakes[1:] == [(WakeReason.DOORBELL, None)] * 5)
        assert notes.cancels == []


async def test_seconds_that_are_none_mean_now(url: str, database: psycopg.AsyncConnection) -> None:
    async with listening(url) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        for seconds in ('"x"', "-1", "null", "[]", "1e999", "7.5"):
            message = f'{{"event": "job", "due_in_seconds": {seconds}}}'
            await database.execute("select pg_notify('analysis_jobs', %s)", (message,))
        await eventually(lambda: len(notes.wakes) == 7)
    assert notes.later == {None: 7.5}


async def test_cancels_without_an_id_are_several(url: str, database: psycopg.AsyncConnection) -> None:
    async with listening(url) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        await database.execute("select pg_notify('analysis_jobs', %s)", ('{"event": "cancelled"}',))
        await eventually(lambda: notes.cancels == [None])


async def test_a_connection_that_is_ended_is_made_anew_with_a_sweep(
    url: str, database: psycopg.AsyncConnection
) -> None:
    async with listening(url) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        (backend,) = await listeners(database)
        await database.execute("select pg_terminate_backend(%s)", (backend,))
        await eventually(lambda: source.state is ListenerState.DEGRADED)
        assert source.ready_seconds == 0
        missed = await enqueue(database)
        await eventually(lambda: source.state is ListenerState.READY)
        await eventually(lambda: notes.sweeps() == 3)  # when it began, when it broke, when it was ready again
        job_id = await enqueue(database)
        await eventually(lambda: notes.heard(job_id))
        assert not notes.heard(missed)


async def test_a_distrusted_listener_starts_on_a_new_connection(url: str, database: psycopg.AsyncConnection) -> None:
    async with listening(url) as (source, _):
        await eventually(lambda: source.state is ListenerState.READY)
        before = await listeners(database)
        await database.execute("select pg_notify('analysis_jobs', '{}')")
        source.distrust()
        assert source.state is ListenerState.DEGRADED
        await eventually(lambda: source.state is ListenerState.READY)
        after = await listeners(database)
        assert len(after) == 1
        assert after != before


async def test_a_database_that_is_not_there_is_tried_again_until_cancelled(unused_tcp_port_url: str) -> None:
    async with listening(unused_tcp_port_url) as (source, notes):
        await eventually(lambda: notes.sweeps() >= 2)
        states = [source.state]
    assert [*states, source.state] == [ListenerState.DEGRADED, ListenerState.CLOSED]


@pytest.fixture
def unused_tcp_port_url() -> str:
    return f"postgresql://nobody:secret@127.0.0.1:{free_port()}/postgres"
