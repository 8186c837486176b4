"""Workers that listen in the database hear of new and of cancelled jobs; where nobody listens, nobody is told."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from tests.sql.factories import CANCEL_ALL, Queue, Session, call

LISTENING = "select pg_advisory_lock_shared(hashtextextended('analysis_jobs.listen', 0))"
ADD = """
insert into public.analysis_jobs (type, input) select 'medical_exam', '{}' from generate_series(1, %s) returning id
"""


def listen(session: Session) -> None:
    session.execute(LISTENING)
    session.execute("listen analysis_jobs")


def heard(session: Session, queue: Queue) -> list[Any]:
    """All that was told before this moment."""
    queue.owner.execute("select pg_notify('analysis_jobs', 'null')")
    told: list[Any] = []
    for message in session.notifies(timeout=10):
        if message.payload == "null":
            return told
        told.append(json.loads(message.payload))
    raise AssertionError("not heard")


@pytest.fixture
def listener(queue: Queue) -> Session:
    session = queue.session("analysis_worker")
    listen(session)
    return session


def added(queue: Queue, number: int = 1) -> list[UUID]:
    return [job_id for (job_id,) in queue.owner.execute(ADD, [number]).fetchall()]


def test_a_new_job_is_told_by_its_id_and_nothing_else(queue: Queue, listener: Session) -> None:
    (job_id,) = added(queue)
    assert heard(listener, queue) == [{"event": "job", "job_id": str(job_id)}]


def test_a_statement_that_adds_many_jobs_tells_once(queue: Queue, listener: Session) -> None:
    added(queue, 20)
    assert heard(listener, queue) == [{"event": "job"}]


def test_a_cancel_is_told_and_no_other_end(queue: Queue, listener: Session) -> None:
    (cancelled, completed) = queue.new_claimed_job(), queue.new_claimed_job()
    heard(listener, queue)
    call(queue.worker(), "cancel_analysis", job_id=cancelled[0])
    call(queue.worker(), "complete_job", job_id=completed[0], lease_id=completed[1], result={})
    assert heard(listener, queue) == [{"event": "cancelled", "job_id": str(cancelled[0])}]


def test_a_cancel_of_a_job_that_nobody_runs_is_not_told(queue: Queue, listener: Session) -> None:
    (job_id,) = added(queue)
    heard(listener, queue)
    call(queue.worker(), "cancel_analysis", job_id=job_id)
    assert heard(listener, queue) == []


def test_a_statement_that_cancels_many_running_jobs_tells_once(queue: Queue, listener: Session) -> None:
    for _ in range(3):
        queue.new_claimed_job()
    heard(listener, queue)
    queue.owner.execute(CANCEL_ALL)
    assert heard(listener, queue) == [{"event": "cancelled"}]


def test_all_who_listen_are_told(queue: Queue, listener: Session) -> None:
    other = queue.session("analysis_worker")
    listen(other)
    added(queue)
    assert len(heard(listener, queue)) == len(heard(other, queue)) == 1


def test_where_nobody_holds_the_lock_nobody_is_told(queue: Queue, listener: Session) -> None:
    listener.execute("select pg_advisory_unlock_all()")
    added(queue)
    assert heard(listener, queue) == []


def test_who_left_is_forgotten(queue: Queue) -> None:
    gone, silent = queue.session("analysis_worker"), queue.session("analysis_worker")
    listen(gone)
    gone.close()
    silent.execute("listen analysis_jobs")
    # Waits until the server has noticed.
    queue.owner.execute("select pg_advisory_lock(hashtextextended('analysis_jobs.listen', 0))")
    queue.owner.execute("select pg_advisory_unlock_all()")
    added(queue)
    assert heard(silent, queue) == []


def test_nobody_keeps_a_lock_by_telling(queue: Queue, listener: Session) -> None:
    added(queue)
    listener.execute("select pg_advisory_unlock_all()")
    added(queue)
    row = queue.owner.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
    assert row == (0,)
