"""Writes that come often rewrite a row in place (HOT): no index grows by them, and no vacuum has to follow them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tests.sql.factories import Queue, Session, call, claim, eventually


@dataclass(slots=True)
class Updates:
    """Of one table, as PostgreSQL counted them."""

    all: int = 0
    in_place: int = 0


@contextmanager
def counted_updates(queue: Queue, session: Session, table: str, number: int) -> Iterator[Updates]:
    """What the block's `number` updates were, filled in at its end."""
    updates, before = Updates(), count(queue, session, table)
    yield updates

    def are_counted() -> bool:
        after = count(queue, session, table)
        updates.all, updates.in_place = after.all - before.all, after.in_place - before.in_place
        return updates.all == number

    eventually(are_counted)


def count(queue: Queue, session: Session, table: str) -> Updates:
    session.execute("select pg_stat_force_next_flush()")
    row = queue.owner.execute(
        "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = %s", [table]
    ).fetchone()
    assert row is not None
    return Updates(*row)


def test_heartbeats_rewrite_in_place(queue: Queue) -> None:
    session = queue.worker()
    workers = [f"w{number}" for number in range(20)]

    def beat() -> None:
        for worker in workers:
            call(session, "heartbeat_worker", worker_id=worker, state={"load": 1})

    beat()
    with counted_updates(queue, session, "analysis_workers", 20 * len(workers)) as updates:
        for _ in range(20):
            beat()
    assert updates.in_place >= 0.98 * updates.all


def test_progress_rewrites_in_place(queue: Queue) -> None:
    session, lease_id = queue.worker(), uuid4()
    for _ in range(100):
        queue.new_job(input={"text": "x" * 200})
    jobs = claim(session, "w1", lease_id, max_jobs=100)
    with counted_updates(queue, session, "analysis_jobs", 10 * len(jobs)) as updates:
        for step in range(10):
            for job in jobs:
                report = {"progress": (step + 1) / 10, "phase": f"step {step}"}
                call(session, "report_progress", job_id=job["id"], lease_id=lease_id, **report)
    assert len(jobs) == 100
    assert updates.in_place >= 0.9 * updates.all


def test_the_end_of_an_attempt_rewrites_it_in_place(queue: Queue) -> None:
    session, lease_id = queue.worker(), uuid4()
    for _ in range(100):
        queue.new_job()
    jobs = claim(session, "w1", lease_id, max_jobs=100)
    with counted_updates(queue, session, "analysis_attempts", len(jobs)) as updates:
        for job in jobs:
            call(session, "complete_job", job_id=job["id"], lease_id=lease_id, result={})
    assert len(jobs) == 100
    assert updates.in_place >= 0.9 * updates.all
