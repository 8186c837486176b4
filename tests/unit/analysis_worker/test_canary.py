"""When a job that was never announced is a reason to distrust the listener."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from analysis_worker.canary import PATIENCE_SECONDS, Canary
from analysis_worker.jobs import Job, Lease

NOW, READY = 1000.0, 600.0
LATER = NOW + PATIENCE_SECONDS + 0.1


def claimed(age_seconds: float = 0.0, attempt: int = 1) -> Job:
    job_id = uuid4()
    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    return Job(job_id, "x", None, {}, attempt, 3, 60.0, created_at, age_seconds, Lease(job_id, uuid4()))


def test_a_job_that_is_never_announced_is_missed_once() -> None:
    canary = Canary()
    canary.claimed([claimed(), claimed()], NOW)
    assert canary.missed(LATER, READY) == 2
    assert canary.missed(LATER, READY) == 0


def test_a_job_claimed_young_is_judged_only_when_its_announcement_is_overdue() -> None:
    canary, job = Canary(), claimed(age_seconds=1.0)
    canary.claimed([job], NOW)
    assert canary.missed(NOW + PATIENCE_SECONDS - 1.0, READY) == 0
    assert canary.missed(NOW + PATIENCE_SECONDS - 0.9, READY) == 1


@pytest.mark.parametrize("announced_first", [True, False])
def test_an_announced_job_is_not_missed(announced_first: bool) -> None:
    canary, job = Canary(), claimed(age_seconds=1.0)
    if announced_first:
        canary.announced(job.id)
    canary.claimed([job], NOW)
    if not announced_first:
        canary.announced(job.id)
    assert canary.missed(LATER, READY) == 0


def test_only_the_first_announcement_is_news() -> None:
    canary, job = Canary(), claimed()
    assert [canary.announced(job.id), canary.announced(job.id)] == [True, False]


@pytest.mark.parametrize(
    ("job", "ready_seconds"),
    [(claimed(attempt=2), READY), (claimed(age_seconds=60), 65.0), (claimed(), 0.0)],
    ids=["came back", "older than the listener", "listener not ready"],
)
def test_nothing_announces_jobs_that_come_back_or_were_there_before(job: Job, ready_seconds: float) -> None:
    canary = Canary()
    canary.claimed([job], NOW)
    assert canary.missed(LATER, ready_seconds) == 0
