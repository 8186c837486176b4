"""The worker's ear on a real WebSocket: what it hears, and how it comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import anyio
import psycopg
import pytest
from psycopg.types.json import Jsonb

from analysis_worker.adapters.realtime import Patience, RealtimeWakeSource
from analysis_worker.wakes import ListenerState, WakeReason
from supabase_local.directory import StackVariables
from tests.sql.factories import CANCEL_ALL

pytestmark = pytest.mark.anyio

WAIT_SECONDS = 20.0
TYPE = "heard"


@dataclass
class Notes:
    """A listener that writes down what it is told."""

    wakes: list[tuple[WakeReason, UUID | None]] = field(default_factory=list)
    later: dict[UUID | None, float] = field(default_factory=dict)
    cancels: list[UUID | None] = field(default_factory=list)

    def woken(self, reason: WakeReason, job_id: UUID | None = None, due_in_seconds: float = 0.0) -> None:
        self.wakes.append((reason, job_id))
        if due_in_seconds:
            self.later[job_id] = due_in_seconds

    def cancelled(self, job_id: UUID | None = None) -> None:
        self.cancels.append(job_id)

    def sweeps(self) -> int:
        return sum(reason is WakeReason.SWEEP for reason, _ in self.wakes)

    def heard(self, job_id: UUID) -> bool:
        return any(heard == job_id for _, heard in self.wakes)


async def eventually(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - any condition, no event of its own
            await anyio.sleep(0.01)


@asynccontextmanager
async def listening(url: str, key: str, **patience: float) -> AsyncIterator[tuple[RealtimeWakeSource, Notes]]:
    notes = Notes()
    source = RealtimeWakeSource(url, lambda: key, f"w{uuid4()}", Patience(**patience))
    async with anyio.create_task_group() as group:
        group.start_soon(source.run, notes)
        yield source, notes
        group.cancel_scope.cancel()


@pytest.fixture
async def database(stack: StackVariables) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(stack.db_url, autocommit=True) as connection:
        await connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", (TYPE,))
        yield connection
        await connection.execute("delete from public.analysis_jobs")


async def enqueue(database: psycopg.AsyncConnection, delay_seconds: float = 0.0) -> UUID:
    statement = (
        "insert into public.analysis_jobs (type, input, scheduled_at)"
        " values (%s, %s, now() + make_interval(secs => %s)) returning id"
    )
    row = await (await database.execute(statement, (TYPE, Jsonb({}), delay_seconds))).fetchone()
    assert row is not None
    job_id: UUID = row[0]
    return job_id


async def claim(database: psycopg.AsyncConnection) -> None:
    await database.execute("select public.claim_job('w1', gen_random_uuid(), array[%s], 100)", (TYPE,))


async def cancel(database: psycopg.AsyncConnection, job_id: UUID) -> None:
    async with database.transaction():
        await database.execute("set local role service_role")
        await database.execute("select public.cancel_analysis(%s)", (job_id,))


@asynccontextmanager
async def without_changes(database: psycopg.AsyncConnection) -> AsyncIterator[None]:
    """Nothing is announced but by broadcasts."""
    await database.execute("alter publication supabase_realtime drop table public.analysis_jobs")
    try:
        yield
    finally:
        await database.execute("alter publication supabase_realtime add table public.analysis_jobs")


async def test_a_new_job_is_announced_by_its_id(stack: StackVariables, database: psycopg.AsyncConnection) -> None:
    async with listening(stack.api_url, stack.secret_key) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        job_id = await enqueue(database)
        await eventually(lambda: notes.heard(job_id))


async def test_becoming_ready_asks_for_a_sweep_since_rows_before_it_may_be_lost(stack: StackVariables) -> None:
    async with listening(stack.api_url, stack.secret_key) as (source, notes):
        assert source.ready_seconds == 0
        await eventually(lambda: source.state is ListenerState.READY)
        assert notes.sweeps() >= 1
        assert source.ready_seconds >= 0


async def test_a_cancel_is_heard(stack: StackVariables, database: psycopg.AsyncConnection) -> None:
    async with listening(stack.api_url, stack.secret_key) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        job_id = await enqueue(database)
        await cancel(database, job_id)
        await eventually(lambda: notes.cancels == [job_id])


async def test_a_cancel_of_a_running_job_is_heard_by_the_doorbell_alone(
    stack: StackVariables, database: psycopg.AsyncConnection
) -> None:
    async with listening(stack.api_url, stack.secret_key) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY and notes.sweeps() == 2)  # the doorbell's is one
        async with without_changes(database):
            job_id = await enqueue(database)
            await claim(database)
            await cancel(database, job_id)
            await eventually(lambda: notes.cancels == [job_id])


async def test_a_job_for_later_is_heard_with_its_time(stack: StackVariables, database: psycopg.AsyncConnection) -> None:
    async with listening(stack.api_url, stack.secret_key) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY and notes.sweeps() == 2)
        async with without_changes(database):
            now, later = await enqueue(database), await enqueue(database, delay_seconds=60)
            await eventually(lambda: notes.heard(now) and notes.heard(later))
    assert notes.later == {later: pytest.approx(60, abs=5)}


async def test_cancels_of_several_running_jobs_are_heard_as_one(
    stack: StackVariables, database: psycopg.AsyncConnection
) -> None:
    async with listening(stack.api_url, stack.secret_key) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY and notes.sweeps() == 2)
        async with without_changes(database):
            for _ in range(2):
                await enqueue(database)
                await claim(database)
            await database.execute(CANCEL_ALL)
            await eventually(lambda: notes.cancels == [None])


async def test_a_distrusted_connection_is_replaced_and_hears_again(
    stack: StackVariables, database: psycopg.AsyncConnection
) -> None:
    async with listening(stack.api_url, stack.secret_key, watchdog=0.05) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        source.distrust()
        assert source.state is ListenerState.DEGRADED
        assert source.ready_seconds == 0
        await eventually(lambda: source.state is ListenerState.READY)
        job_id = await enqueue(database)
        await eventually(lambda: notes.heard(job_id))


async def test_recycling_never_leaves_the_worker_without_a_connection(
    stack: StackVariables, database: psycopg.AsyncConnection
) -> None:
    async with listening(stack.api_url, stack.secret_key, watchdog=0.02, lifetime=0.2) as (source, notes):
        await eventually(lambda: source.state is ListenerState.READY)
        for recycled in range(2, 5):
            await eventually(lambda at_least=recycled: notes.sweeps() >= at_least)  # type: ignore[misc]
            assert source.state is ListenerState.READY
            job_id = await enqueue(database)
            await eventually(lambda job_id=job_id: notes.heard(job_id))  # type: ignore[misc]


async def test_a_refused_key_means_polling_and_no_crash(stack: StackVariables) -> None:
    async with listening(stack.api_url, "sb_secret_wrong") as (source, notes):
        await eventually(lambda: notes.sweeps() >= 2)
        assert source.state is ListenerState.DEGRADED


async def test_a_server_that_is_not_there_means_polling_and_no_crash() -> None:
    async with listening("http://127.0.0.1:9", "sb_secret_any") as (source, notes):
        await eventually(lambda: notes.sweeps() >= 2)
        assert source.state is ListenerState.DEGRADED
