"""What holds for every function under a lease: it writes under the lease it names, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import ERROR, Queue, Session, call, claim, eventually

SETTLES: dict[str, dict[str, Any]] = {
    "complete_job": {"result": {"x": 1}},
    "fail_job": {"error": ERROR, "retryable": True},
    "defer_job": {"delay_seconds": 1},
    "release_job": {},
}
WRITES = SETTLES | {"report_progress": {"progress": 0.5, "phase": "reading"}}
every_write = pytest.mark.parametrize("function", WRITES)
every_settle = pytest.mark.parametrize("function", SETTLES)


def write(session: Session, function: str, job_id: UUID, lease_id: UUID) -> Any:
    return call(session, function, job_id=job_id, lease_id=lease_id, **WRITES[function])


def lost(status: str | None, outcome: str | None) -> dict[str, Any]:
    retry = 0 if status == "pending" else None
    return {"status": status, "lease": "lost", "settled": False, "outcome": outcome, "retry_in_seconds": retry}


@every_write
def test_a_lease_that_never_was_writes_nothing(queue: Queue, function: str) -> None:
    job_id, _ = queue.new_claimed_job()
    before = queue.everything()
    assert write(queue.worker(), function, job_id, uuid4()) == lost("processing", None)
    assert queue.everything() == before


@every_write
def test_a_job_that_is_not_there_is_lost(queue: Queue, function: str) -> None:
    assert write(queue.worker(), function, uuid4(), uuid4()) == lost(None, None)


@every_write
def test_another_jobs_lease_writes_nothing(queue: Queue, function: str) -> None:
    _, lease_id = queue.new_claimed_job()
    other_id, _ = queue.new_claimed_job()
    before = queue.everything()
    assert write(queue.worker(), function, other_id, lease_id) == lost("processing", None)
    assert queue.everything() == before


@every_write
def test_a_stale_worker_cannot_write_to_a_rescued_job(queue: Queue, function: str) -> None:
    job_id, stale = queue.new_claimed_job("w1")
    queue.silence("w1", seconds=60)
    call(queue.worker(), "reconcile_jobs")
    before = queue.everything()
    assert write(queue.worker(), function, job_id, stale) == lost("pending", "lost")
    assert queue.everything() == before


@every_write
def test_a_stale_worker_cannot_write_to_a_reclaimed_job(queue: Queue, function: str) -> None:
    job_id, stale = queue.new_claimed_job("w1")
    queue.silence("w1", seconds=60)
    call(queue.worker(), "reconcile_jobs")
    assert len(claim(queue.worker(), "w2", uuid4())) == 1
    before = queue.everything()
    assert write(queue.worker(), function, job_id, stale) == lost("processing", "lost")
    assert queue.everything() == before


@every_write
def test_a_cancelled_job_stays_cancelled(queue: Queue, function: str) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    call(queue.user(user_id), "cancel_analysis", job_id=job_id)
    before = queue.everything()
    assert write(queue.worker(), function, job_id, lease_id) == lost("cancelled", "cancelled")
    assert queue.everything() == before


@every_write
def test_nothing_follows_a_completion(queue: Queue, function: str) -> None:
    job_id, lease_id = queue.new_claimed_job()
    write(queue.worker(), "complete_job", job_id, lease_id)
    before = queue.everything()
    answer = write(queue.worker(), function, job_id, lease_id)
    assert (answer["lease"], answer["settled"], answer["outcome"]) == ("held", True, "completed")
    assert queue.everything() == before


@every_settle
def test_one_of_two_settlements_at_once_counts(queue: Queue, function: str) -> None:
    job_id, lease_id = queue.new_claimed_job()
    first, second = queue.worker(), queue.worker()
    with ThreadPoolExecutor() as pool:
        with first.transaction():
            write(first, "complete_job", job_id, lease_id)
            after = pool.submit(write, second, function, job_id, lease_id)
            eventually(lambda: queue.waits_for_lock(second))
        answer = after.result(timeout=10)
    assert (answer["status"], answer["outcome"], answer["settled"]) == ("completed", "completed", True)
    assert queue.job(job_id)["status"] == queue.attempt(job_id, lease_id)["outcome"] == "completed"


@every_write
def test_a_cancel_that_comes_first_wins(queue: Queue, function: str) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    user, worker = queue.user(user_id), queue.worker()
    with ThreadPoolExecutor() as pool:
        with user.transaction():
            call(user, "cancel_analysis", job_id=job_id)
            late = pool.submit(write, worker, function, job_id, lease_id)
            eventually(lambda: queue.waits_for_lock(worker))
        assert late.result(timeout=10) == lost("cancelled", "cancelled")
    assert queue.job(job_id)["status"] == queue.attempt(job_id, lease_id)["outcome"] == "cancelled"


def test_a_settlement_that_is_rolled_back_can_be_sent_again(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    worker = queue.worker()
    with worker.transaction(force_rollback=True):
        write(worker, "complete_job", job_id, lease_id)
    assert queue.job(job_id)["status"] == "processing"
    assert write(worker, "complete_job", job_id, lease_id)["status"] == "completed"


@every_settle
def test_a_batch_is_settled_job_by_job(queue: Queue, function: str) -> None:
    for _ in range(2):
        queue.new_job()
    lease_id = uuid4()
    one, other = claim(queue.worker(), "w1", lease_id, max_jobs=2)
    write(queue.worker(), function, one["id"], lease_id)
    assert queue.job(other["id"])["status"] == "processing"
    assert queue.attempt(other["id"], lease_id)["outcome"] is None
