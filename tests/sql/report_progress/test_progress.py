"""report_progress: shown to the owner, fenced, and silent where nothing changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

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


def test_text_so_far_is_shown_to_the_owner_and_kept_to_its_limit(queue: Queue) -> None:
    user = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user)
    report(queue, job_id, lease_id, partial="Bom d")
    assert call(queue.user(user), "get_analysis_status", job_id=job_id)["partial"] == "Bom d"
    report(queue, job_id, lease_id, progress=0.5)
    assert queue.job(job_id)["partial"] == "Bom d"
    report(queue, job_id, lease_id, partial="x" * 20_000)
    assert queue.job(job_id)["partial"] == "x" * 16_384


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("complete_job", {"result": Jsonb({})}),
        ("fail_job", {"error": Jsonb({"code": "c", "message": "m"}), "retryable": True}),
        ("fail_job", {"error": Jsonb({"code": "c", "message": "m"}), "retryable": False}),
        ("defer_job", {"delay_seconds": 1}),
        ("release_job", {}),
    ],
)
def test_text_of_an_attempt_goes_with_it(queue: Queue, function: str, arguments: dict[str, Any]) -> None:
    job_id, lease_id = queue.new_claimed_job()
    report(queue, job_id, lease_id, partial="Bom d")
    assert call(queue.worker(), function, job_id=job_id, lease_id=lease_id, **arguments)["settled"]
    assert queue.job(job_id)["partial"] is None


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
