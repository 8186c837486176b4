"""defer_job: not now; the attempt does not count."""

from __future__ import annotations

from uuid import uuid4

from tests.sql.factories import Queue, call, claim, refused


def test_a_deferred_job_waits_and_gets_its_attempt_back(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    answer = call(
        queue.worker(), "defer_job", job_id=job_id, lease_id=lease_id, delay_seconds=30, reason="provider cools down"
    )
    assert (answer["status"], answer["settled"], answer["outcome"]) == ("pending", True, "deferred")
    assert 29 < answer["retry_in_seconds"] <= 30
    job = queue.job(job_id)
    assert (job["status"], job["attempt"], job["lease_id"]) == ("pending", 0, None)
    assert claim(queue.worker(), "w1", uuid4()) == []


def test_the_attempt_keeps_the_reason(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    call(queue.worker(), "defer_job", job_id=job_id, lease_id=lease_id, delay_seconds=1, reason="429")
    attempt = queue.attempt(job_id, lease_id)
    assert (attempt["outcome"], attempt["error"]) == ("deferred", {"code": "deferred", "message": "429"})


def test_the_attempt_keeps_what_it_used(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    usage = {"cost_micro_usd": 12}
    call(queue.worker(), "defer_job", job_id=job_id, lease_id=lease_id, delay_seconds=1, usage=usage)
    assert queue.attempt(job_id, lease_id)["usage"] == usage


def test_a_cost_that_is_no_whole_number_is_refused(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused("PT400", "cost_micro_usd"):
        call(
            queue.worker(),
            "defer_job",
            job_id=job_id,
            lease_id=lease_id,
            delay_seconds=1,
            usage={"cost_micro_usd": 0.5},
        )


def test_a_job_can_be_deferred_more_often_than_it_has_attempts(queue: Queue) -> None:
    job_id, worker = queue.new_job(max_attempts=1), queue.worker()
    for _ in range(5):
        lease_id = uuid4()
        (claimed,) = claim(worker, "w1", lease_id)
        assert claimed["attempt"] == 1
        call(worker, "defer_job", job_id=job_id, lease_id=lease_id, delay_seconds=0)
    count = queue.owner.execute("select count(*) from public.analysis_attempts where outcome = 'deferred'").fetchone()
    assert count == (5,)


def test_a_repetition_changes_nothing(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    fence = {"job_id": job_id, "lease_id": lease_id}
    call(queue.worker(), "defer_job", **fence, delay_seconds=30)
    before = queue.everything()
    assert call(queue.worker(), "defer_job", **fence, delay_seconds=30)["settled"] is True
    assert queue.everything() == before


def test_a_deferral_without_a_delay_is_refused(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused("PT400", "delay_seconds"):
        call(queue.worker(), "defer_job", job_id=job_id, lease_id=lease_id, delay_seconds=None)
