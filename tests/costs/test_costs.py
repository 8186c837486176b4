"""What a job costs the database, in numbers that depend on no machine: statements, bytes of the log, calls.

Every limit is a little above what was measured when it was set; docs/notes/queue-profile.md says how. A change that
costs more has to move a limit, and so to be meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from supabase_local.postgres import SUPERUSER
from tests.sql.factories import Queue, Session, call, claim
from tests.sql.plans.explained import Explained, Explainer, explaining

TYPE, USERS = "measured", 10
WARM = 3
"""Calls after which a session has planned everything."""


@pytest.fixture
def users(queue: Queue) -> list[UUID]:
    queue.new_type(TYPE)
    return [queue.new_user() for _ in range(USERS)]


@pytest.fixture
def explainer(queue: Queue) -> Iterator[Explainer]:
    """A worker's session that counts the statements inside its calls."""
    with explaining(queue.url.replace("//postgres:", f"//{SUPERUSER}:"), "service_role") as explainer:
        yield explainer


def enqueue(queue: Queue, users: list[UUID], jobs: int) -> None:
    sessions = [queue.user(user_id) for user_id in users]
    for number in range(jobs):
        call(sessions[number % len(sessions)], "enqueue_analysis", type=TYPE, input={"number": number})


def settlements(jobs: list[dict[str, str]]) -> Jsonb:
    return Jsonb(
        [{"job_id": job["id"], "lease_id": job["lease_id"], "outcome": "completed", "result": {}} for job in jobs]
    )


def claimed(explainer: Explainer, max_jobs: int) -> Explained:
    return explainer.call("claim_job", worker_id="w1", lease_id=uuid4(), types=[TYPE], max_jobs=max_jobs)


def settled(explainer: Explainer, jobs: list[dict[str, str]]) -> Explained:
    return explainer.call("settle_jobs", settlements=settlements(jobs))


@pytest.mark.parametrize(("batch", "limit"), [(1, 17), (10, 2.6), (50, 1.7)])
def test_a_claim_runs_few_statements(
    queue: Queue, users: list[UUID], explainer: Explainer, batch: int, limit: float
) -> None:
    enqueue(queue, users, batch * WARM)
    *_, claim = [claimed(explainer, batch) for _ in range(WARM)]
    assert len(claim.answer) == batch
    assert len(claim.statements) / batch <= limit


def other_types(queue: Queue) -> list[str]:
    names = [f"{TYPE}_{number}" for number in range(8)]
    for name in names:
        queue.new_type(name)
    return names


@pytest.mark.parametrize("types", [1, 9])
def test_a_claim_of_the_only_job_runs_few_statements_however_many_types_it_asks_for(
    queue: Queue, users: list[UUID], explainer: Explainer, types: int
) -> None:
    asked = [*other_types(queue), TYPE][-types:]
    for _ in range(WARM):
        enqueue(queue, users, 1)
        claim = explainer.call("claim_job", worker_id="w1", lease_id=uuid4(), types=asked, max_jobs=10)
        assert len(claim.answer) == 1
        settled(explainer, claim.answer)
    assert len(claim.statements) <= 16


def test_a_claim_that_gets_nothing_reads_nothing_and_writes_nothing(
    queue: Queue, users: list[UUID], explainer: Explainer
) -> None:
    asked = [*other_types(queue), TYPE]
    for number in range(200):
        queue.new_job(type=TYPE, user_id=users[number % USERS], scheduled_at=datetime.now(UTC) + timedelta(hours=1))
    for _ in range(WARM):
        with explainer.session.transaction():
            claim = explainer.call("claim_job", worker_id="w1", lease_id=uuid4(), types=asked, max_jobs=10)
            written = explainer.session.execute("select pg_current_xact_id_if_assigned()").fetchone()
    assert claim.answer == []
    assert len(claim.statements) <= 6
    assert claim.rows("analysis_queue") == 0
    assert written == (None,)


@pytest.mark.parametrize(("batch", "limit"), [(1, 11), (10, 3.9), (50, 3.2)])
def test_a_settlement_runs_few_statements(
    queue: Queue, users: list[UUID], explainer: Explainer, batch: int, limit: float
) -> None:
    enqueue(queue, users, batch * WARM)
    *_, settling = [settled(explainer, claimed(explainer, batch).answer) for _ in range(WARM)]
    assert len(settling.answer[0]) == batch
    assert len(settling.statements) / batch <= limit


def test_a_job_that_is_enqueued_runs_few_statements(queue: Queue, users: list[UUID]) -> None:
    with explaining(queue.url.replace("//postgres:", f"//{SUPERUSER}:"), "authenticated", users[0]) as explainer:
        calls = [explainer.call("enqueue_analysis", type=TYPE, input={"number": number}) for number in (0, 1)]
    assert len(calls[-1].statements) <= 26


@contextmanager
def written(session: Session) -> Iterator[list[int]]:
    """Bytes of the log that the block wrote, filled in at its end; the test server copies no whole pages."""
    bytes_written: list[int] = []
    position = session.execute("select pg_current_wal_insert_lsn()").fetchone()
    yield bytes_written
    row = session.execute("select (pg_current_wal_insert_lsn() - %s::pg_lsn)::bigint", position).fetchone()
    assert row is not None
    bytes_written.append(row[0])


@pytest.mark.parametrize(("batch", "limit"), [(1, 4850), (10, 4800)])
def test_a_job_writes_little_to_the_log(queue: Queue, users: list[UUID], batch: int, limit: int) -> None:
    """From enqueue to completed; the least of some rounds, since others may write in between."""
    worker, jobs, rounds = queue.worker(), 60, []
    for _ in range(WARM):
        with written(queue.owner) as log:
            enqueue(queue, users, jobs)
            for _ in range(jobs // batch):
                held = claim(worker, "w1", uuid4(), types=[TYPE], max_jobs=batch)
                call(worker, "settle_jobs", settlements=settlements(held))
        rounds.append(log[0] / jobs)
    assert min(rounds) <= limit


def test_claims_come_back_full_while_there_is_enough(queue: Queue, users: list[UUID]) -> None:
    enqueue(queue, users, 200)
    worker = queue.worker()
    assert [len(claim(worker, "w1", uuid4(), types=[TYPE], max_jobs=50)) for _ in range(5)] == [50, 50, 50, 50, 0]
