"""release_job: not me; somebody else may have it at once."""

from __future__ import annotations

from uuid import uuid4

from tests.sql.factories import Queue, call, claim


def test_a_released_job_is_claimable_at_once_at_its_old_place(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job(scheduled_at="2026-01-01")
    queue.new_job(scheduled_at="2026-01-02")
    answer = call(queue.worker(), "release_job", job_id=job_id, lease_id=lease_id)
    assert (answer["status"], answer["settled"], answer["outcome"]) == ("pending", True, "released")
    assert answer["retry_in_seconds"] == 0
    assert queue.job(job_id)["attempt"] == 0
    (claimed,) = claim(queue.worker(), "w2", uuid4())
    assert (claimed["id"], claimed["attempt"]) == (str(job_id), 1)


def test_the_attempt_says_that_it_was_released(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    call(queue.worker(), "release_job", job_id=job_id, lease_id=lease_id)
    attempt = queue.attempt(job_id, lease_id)
    assert (attempt["outcome"], attempt["error"]) == ("released", None)
    assert attempt["finished_at"] is not None


def test_a_repetition_after_the_next_claim_leaves_that_claim_alone(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    call(queue.worker(), "release_job", job_id=job_id, lease_id=lease_id)
    claim(queue.worker(), "w2", uuid4())
    before = queue.everything()
    answer = call(queue.worker(), "release_job", job_id=job_id, lease_id=lease_id)
    assert (answer["status"], answer["settled"]) == ("processing", True)
    assert queue.everything() == before
