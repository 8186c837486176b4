"""claim_job in one session: what it takes, in which order, and what it answers when it is sent again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import ERROR, Queue, call, claim, refused


def ids(jobs: list[Any]) -> list[UUID]:
    return [UUID(job["id"]) for job in jobs]


def test_a_claim_hands_over_the_job_and_a_lease(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_job(user_id=user_id, input={"a": 1}, priority=3), uuid4()
    (claimed,) = claim(queue.worker(), "w1", lease_id)
    job = queue.job(job_id)
    assert claimed == {
        "id": str(job_id),
        "type": "medical_exam",
        "user_id": str(user_id),
        "input": {"a": 1},
        "attempt": 1,
        "max_attempts": 3,
        "lease_id": str(lease_id),
        "deadline_at": job["deadline_at"],
        "timeout_seconds": 300,
        "created_at": job["created_at"],
        "priority": 3,
        "checkpoint": None,
    }
    assert (job["status"], job["leased_by"], job["lease_id"]) == ("processing", "w1", str(lease_id))
    started_at, deadline_at = (datetime.fromisoformat(job[name]) for name in ("started_at", "deadline_at"))
    assert timedelta(seconds=299) < deadline_at - started_at < timedelta(seconds=301)


def test_a_claim_writes_a_running_attempt(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job("w1")
    attempt = queue.attempt(job_id, lease_id)
    assert (attempt["attempt"], attempt["worker_id"], attempt["outcome"]) == (1, "w1", None)
    assert attempt["started_at"] == queue.job(job_id)["started_at"]


def test_jobs_not_due_of_other_types_of_paused_types_and_settled_ones_stay(queue: Queue) -> None:
    queue.new_type("other")
    queue.new_type("halted", paused=True)
    queue.new_job(scheduled_at="2999-01-01")
    queue.new_job(type="other")
    queue.new_job(type="halted")
    queue.new_job(status="cancelled", finished_at="2026-01-01")
    queue.new_claimed_job()
    assert claim(queue.worker(), "w1", uuid4(), types=["medical_exam", "halted"], max_jobs=10) == []


def test_a_claim_takes_no_more_than_it_asks_for(queue: Queue) -> None:
    for _ in range(5):
        queue.new_job()
    assert len(claim(queue.worker(), "w1", uuid4(), max_jobs=2)) == 2
    assert len(claim(queue.worker(), "w1", uuid4(), max_jobs=100)) == 3


def test_the_timeout_is_the_types_at_the_time_of_the_claim(queue: Queue) -> None:
    queue.new_type("echo", timeout_seconds=5)
    queue.new_job(type="echo")
    queue.owner.execute("update public.analysis_types set timeout_seconds = 1.5 where type = 'echo'")
    (claimed,) = claim(queue.worker(), "w1", uuid4(), types=["echo"])
    assert claimed["timeout_seconds"] == 1.5


def test_the_same_lease_again_returns_the_same_jobs_and_takes_no_more(queue: Queue) -> None:
    for _ in range(5):
        queue.new_job()
    lease_id = uuid4()
    first = claim(queue.worker(), "w1", lease_id, max_jobs=2)
    before = queue.everything()
    assert claim(queue.worker(), "w1", lease_id, max_jobs=2) == first
    assert claim(queue.worker(), "w1", lease_id, max_jobs=5) == first
    assert queue.everything() == before


def test_the_same_lease_again_returns_only_what_it_still_holds(queue: Queue) -> None:
    for _ in range(4):
        queue.new_job()
    worker, lease_id = queue.worker(), uuid4()
    settled, kept = claim(worker, "w1", lease_id, max_jobs=2)
    call(worker, "complete_job", job_id=settled["id"], lease_id=lease_id, result={})
    assert claim(worker, "w1", lease_id, max_jobs=2) == [kept]


def test_a_lease_whose_jobs_are_settled_never_claims_again(queue: Queue) -> None:
    worker = queue.worker()
    job_id, lease_id = queue.new_claimed_job()
    call(worker, "fail_job", job_id=job_id, lease_id=lease_id, error=ERROR, retryable=True, delay_seconds=0)
    queue.new_job()
    assert claim(worker, "w1", lease_id, max_jobs=10) == []
    assert len(claim(worker, "w1", uuid4(), max_jobs=10)) == 2


def test_a_claim_that_found_nothing_may_be_repeated_and_find_something(queue: Queue) -> None:
    lease_id = uuid4()
    assert claim(queue.worker(), "w1", lease_id) == []
    job_id = queue.new_job()
    assert ids(claim(queue.worker(), "w1", lease_id)) == [job_id]


def test_a_second_attempt_counts_and_starts_without_progress(queue: Queue) -> None:
    worker = queue.worker()
    job_id, lease_id = queue.new_claimed_job()
    call(worker, "report_progress", job_id=job_id, lease_id=lease_id, progress=0.5, phase="reading")
    call(worker, "fail_job", job_id=job_id, lease_id=lease_id, error=ERROR, retryable=True, delay_seconds=0)
    (claimed,) = claim(worker, "w2", uuid4())
    job = queue.job(job_id)
    assert (claimed["attempt"], job["progress"], job["phase"], job["leased_by"]) == (2, 0, None, "w2")


def test_a_claim_is_a_sign_of_life(queue: Queue) -> None:
    claim(queue.worker(), "w1", uuid4())
    queue.silence("w1", seconds=20)
    claim(queue.worker(), "w1", uuid4())
    age = "select now() - heartbeat_at < interval '5 seconds' from public.analysis_workers where id = 'w1'"
    assert queue.owner.execute(age).fetchone() == (True,)


def test_claims_in_quick_succession_write_one_sign_of_life(queue: Queue) -> None:
    claim(queue.worker(), "w1", uuid4())
    row = "select heartbeat_at, xmin::text from public.analysis_workers"
    before = queue.owner.execute(row).fetchall()
    claim(queue.worker(), "w1", uuid4())
    assert queue.owner.execute(row).fetchall() == before


def test_a_claim_keeps_the_lease_time_that_the_worker_announced(queue: Queue) -> None:
    worker = queue.worker()
    call(worker, "heartbeat_worker", worker_id="w1", state={"lease_seconds": 7})
    queue.silence("w1", seconds=5)
    claim(worker, "w1", uuid4())
    assert queue.owner.execute("select lease_seconds from public.analysis_workers").fetchone() == (7.0,)


@pytest.mark.parametrize("max_jobs", [0, -1, 101, None])
def test_a_number_of_jobs_that_makes_no_sense_is_refused(queue: Queue, max_jobs: int | None) -> None:
    with refused("PT400", "max_jobs"):
        call(queue.worker(), "claim_job", worker_id="w1", lease_id=uuid4(), types=["medical_exam"], max_jobs=max_jobs)


@pytest.mark.parametrize("missing", ["worker_id", "lease_id"])
def test_a_claim_without_worker_or_lease_is_refused(queue: Queue, missing: str) -> None:
    arguments = {"worker_id": "w1", "lease_id": uuid4(), "types": ["medical_exam"], "max_jobs": 1, missing: None}
    with refused("PT400", "required"):
        call(queue.worker(), "claim_job", **arguments)
