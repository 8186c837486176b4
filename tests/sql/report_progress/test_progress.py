"""report_progress: shown to the owner, fenced, and silent where nothing changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.sql.factories import Queue, call, refused


def report(queue: Queue, job_id: UUID, lease_id: UUID, **what: Any) -> Any:
    return call(queue.worker(), "report_progress", job_id=job_id, lease_id=lease_id, **what)


def test_progress_and_phase_are_stored(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    answer = report(queue, job_id, lease_id, progress=0.25, phase="reading")
    assert answer == {
        "status": "processing",
        "lease": "held",
        "settled": False,
        "outcome": None,
        "retry_in_seconds": None,
    }
    job = queue.job(job_id)
    assert (job["progress"], job["phase"]) == (0.25, "reading")


def test_a_report_of_nothing_new_writes_nothing(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    first = report(queue, job_id, lease_id, progress=0.25, phase="reading")
    before = queue.everything()
    assert report(queue, job_id, lease_id, progress=0.25, phase="reading") == first
    assert report(queue, job_id, lease_id) == first
    assert queue.everything() == before


def test_what_is_not_said_stays(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    report(queue, job_id, lease_id, progress=0.25, phase="reading")
    report(queue, job_id, lease_id, progress=0.5)
    report(queue, job_id, lease_id, phase="parsing")
    job = queue.job(job_id)
    assert (job["progress"], job["phase"]) == (0.5, "parsing")


def test_a_long_phase_is_cut(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    report(queue, job_id, lease_id, phase="x" * 300)
    assert queue.job(job_id)["phase"] == "x" * 200


@pytest.mark.parametrize("progress", [-0.1, 1.1, "NaN", "Infinity"])
def test_progress_outside_its_range_is_refused(queue: Queue, progress: Any) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused("PT400", "between 0 and 1"):
        report(queue, job_id, lease_id, progress=progress)


def test_progress_moves_no_index_entry(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    worker = queue.worker()
    query = "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'analysis_jobs'"
    with worker.transaction():
        call(worker, "report_progress", job_id=job_id, lease_id=lease_id, progress=0.9, phase="last")
        assert worker.execute(query).fetchone() == (1, 1)
