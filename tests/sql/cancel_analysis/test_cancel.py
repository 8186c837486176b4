"""cancel_analysis: the end at once, by the owner only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.sql.factories import Queue, call, claim, eventually, refused


def test_a_pending_job_is_cancelled_and_never_claimed(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id = queue.new_job(user_id=user_id)
    answer = call(queue.user(user_id), "cancel_analysis", job_id=job_id)
    assert answer == {"id": str(job_id), "status": "cancelled"}
    job = queue.job(job_id)
    assert job["status"] == "cancelled"
    assert job["finished_at"] is not None
    assert claim(queue.worker(), "w1", uuid4()) == []


def test_a_running_job_is_cancelled_and_its_lease_revoked(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    assert call(queue.user(user_id), "cancel_analysis", job_id=job_id)["status"] == "cancelled"
    job = queue.job(job_id)
    assert (job["status"], job["lease_id"], job["leased_by"], job["deadline_at"]) == ("cancelled", None, None, None)
    attempt = queue.attempt(job_id, lease_id)
    assert attempt["outcome"] == "cancelled"
    assert attempt["finished_at"] is not None


def test_a_job_that_has_ended_stays_as_it_is(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})
    before = queue.everything()
    assert call(queue.user(user_id), "cancel_analysis", job_id=job_id) == {"id": str(job_id), "status": "completed"}
    assert queue.everything() == before


def test_cancelling_twice_is_cancelling_once(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id = queue.new_job(user_id=user_id)
    first = call(queue.user(user_id), "cancel_analysis", job_id=job_id)
    before = queue.everything()
    assert call(queue.user(user_id), "cancel_analysis", job_id=job_id) == first
    assert queue.everything() == before


def test_a_foreign_job_looks_like_none(queue: Queue) -> None:
    job_id = queue.new_job(user_id=queue.new_user())
    job_of_nobody = queue.new_job()
    before = queue.everything()
    for session in (queue.user(queue.new_user()), queue.session("authenticated")):
        for wanted in (job_id, job_of_nobody, uuid4()):
            with refused("PT404", "job not found"):
                call(session, "cancel_analysis", job_id=wanted)
    assert queue.everything() == before


def test_a_service_cancels_any_job(queue: Queue) -> None:
    job_id = queue.new_job(user_id=queue.new_user())
    assert call(queue.worker(), "cancel_analysis", job_id=job_id)["status"] == "cancelled"


def test_a_cancel_that_meets_a_claim_cancels_the_claimed_job(queue: Queue) -> None:
    user_id, lease_id = queue.new_user(), uuid4()
    job_id = queue.new_job(user_id=user_id)
    worker, user = queue.worker(), queue.user(user_id)
    with ThreadPoolExecutor() as pool:
        with worker.transaction():
            claim(worker, "w1", lease_id)
            cancelled = pool.submit(call, user, "cancel_analysis", job_id=job_id)
            eventually(lambda: queue.waits_for_lock(user))
        assert cancelled.result(timeout=10)["status"] == "cancelled"
    assert queue.attempt(job_id, lease_id)["outcome"] == "cancelled"


def test_a_cancel_that_meets_a_completion_leaves_the_result(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    worker, user = queue.worker(), queue.user(user_id)
    with ThreadPoolExecutor() as pool:
        with worker.transaction():
            call(worker, "complete_job", job_id=job_id, lease_id=lease_id, result={"x": 1})
            cancelled = pool.submit(call, user, "cancel_analysis", job_id=job_id)
            eventually(lambda: queue.waits_for_lock(user))
        assert cancelled.result(timeout=10)["status"] == "completed"
    assert queue.job(job_id)["result"] == {"x": 1}
