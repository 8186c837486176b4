"""Workers with free slots and jobs that cannot start yet: they are told when they can; no reconciliation finds it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.apps import TYPE
from tests.databases import Databases
from tests.integration.test_direct_worker import ask, attempts, enqueue, lines_until, wait_for, worker
from tests.processes import Playground


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    with databases.copied("migrated") as name:
        yield databases.url(name)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@contextmanager
def working(url: str, directory: Path) -> Iterator[None]:
    """Nobody reconciles after the start."""
    with worker(url, Playground(directory), ANALYSIS_WORKER_RECONCILE_SECONDS="600") as process:
        lines_until(process, "listen", state="ready")
        yield


def limit_to_one(url: str, limit: str) -> None:
    ask(url, f"insert into public.analysis_types (type, {limit}) values (%s, 1) returning type", TYPE)


def are_settled(url: str, job_ids: list[UUID]) -> None:
    for job_id in job_ids:
        wait_for(url, job_id, "completed")


@pytest.mark.parametrize("limit", ["concurrency", "concurrency_per_user"])
def test_when_one_ends_the_next_one_starts(limit: str, url: str, gate: Path) -> None:
    limit_to_one(url, limit)
    with working(url, gate.parent):
        job_ids = [enqueue(url, gate) for _ in range(5)]
        wait_for(url, job_ids[0], "processing")
        gate.touch()
        are_settled(url, job_ids)


def test_when_one_is_cancelled_the_next_one_starts(url: str, gate: Path) -> None:
    limit_to_one(url, "concurrency")
    with working(url, gate.parent):
        first, second = (enqueue(url, gate.parent / name) for name in ("never", "gate"))
        gate.touch()
        wait_for(url, first, "processing")
        ask(
            url,
            "update public.analysis_jobs set status = 'cancelled', lease_id = null, leased_by = null,"
            " deadline_at = null, finished_at = now() where id = %s returning id",
            first,
        )
        wait_for(url, second, "completed")


def test_when_a_limit_is_lifted_what_waited_starts(url: str, gate: Path) -> None:
    limit_to_one(url, "concurrency_per_user")
    with working(url, gate.parent):
        job_ids = [enqueue(url, gate) for _ in range(5)]
        wait_for(url, job_ids[0], "processing")
        ask(url, "update public.analysis_types set concurrency_per_user = null returning type")
        for job_id in job_ids:
            wait_for(url, job_id, "processing")
        gate.touch()
        are_settled(url, job_ids)


def test_when_a_type_is_resumed_its_jobs_start(url: str, gate: Path) -> None:
    ask(url, "insert into public.analysis_types (type, paused) values (%s, true) returning type", TYPE)
    gate.touch()
    with working(url, gate.parent):
        job_id = enqueue(url, gate)
        ask(url, "update public.analysis_types set paused = false returning type")
        wait_for(url, job_id, "completed")


def test_what_a_stopping_worker_gives_back_another_one_takes_up(url: str, gate: Path) -> None:
    ask(url, "insert into public.analysis_types (type) values (%s) returning type", TYPE)
    with worker(url, Playground(gate.parent), ANALYSIS_WORKER_GRACE_SECONDS="0") as leaving:
        lines_until(leaving, "listen", state="ready")
        job_id = enqueue(url, gate)
        wait_for(url, job_id, "processing")
        with working(url, gate.parent):
            leaving.send_signal(signal.SIGTERM)
            leaving.communicate(timeout=10)
            gate.touch()
            wait_for(url, job_id, "completed")
    assert attempts(url, job_id) == [(1, "released"), (1, "completed")]


def test_jobs_for_later_start_when_they_are_due(url: str, gate: Path) -> None:
    ask(url, "insert into public.analysis_types (type) values (%s) returning type", TYPE)
    gate.touch()
    with working(url, gate.parent):
        job_ids = [enqueue_for_later(url, gate, seconds) for seconds in (3.0, 1.0, 2.0)]
        are_settled(url, job_ids)
    statement = "select extract(epoch from started_at - scheduled_at)::float8 as late from public.analysis_jobs"
    assert all(0 <= row["late"] < 10 for row in ask(url, statement))


def enqueue_for_later(url: str, gate: Path, seconds: float) -> UUID:
    statement = (
        "insert into public.analysis_jobs (type, input, scheduled_at)"
        " values (%s, %s, now() + make_interval(secs => %s)) returning id"
    )
    job_id: UUID = ask(url, statement, TYPE, Jsonb({"path": str(gate)}), seconds)[0]["id"]
    return job_id
