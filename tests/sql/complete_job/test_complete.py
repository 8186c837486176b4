"""complete_job: the one way to a result."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.sql.factories import Queue, call, refused


def complete(queue: Queue, job_id: UUID, lease_id: UUID, result: object = None, **more: object) -> object:
    result = {"x": 1} if result is None else result
    return call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result=result, **more)


def test_a_result_ends_the_job(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    answer = complete(queue, job_id, lease_id)
    assert answer == {
        "status": "completed",
        "lease": "held",
        "settled": True,
        "outcome": "completed",
        "retry_in_seconds": None,
    }
    job = queue.job(job_id)
    assert (job["status"], job["result"], job["progress"], job["attempt"]) == ("completed", {"x": 1}, 1, 1)
    assert (job["lease_id"], job["leased_by"], job["deadline_at"]) == (None, None, None)
    assert job["finished_at"] >= job["started_at"]


def test_the_attempt_keeps_the_usage(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    complete(queue, job_id, lease_id, usage={"tokens": 12})
    attempt = queue.attempt(job_id, lease_id)
    assert (attempt["outcome"], attempt["usage"], attempt["error"]) == ("completed", {"tokens": 12}, None)
    assert attempt["finished_at"] >= attempt["started_at"]


def test_a_repetition_is_answered_alike_and_changes_nothing(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    first = complete(queue, job_id, lease_id)
    before = queue.everything()
    assert complete(queue, job_id, lease_id, {"x": 2}) == first
    assert queue.everything() == before


def test_a_result_may_be_any_json_but_not_missing(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    worker = queue.worker()
    with refused("PT400", "result is required"):
        call(worker, "complete_job", job_id=job_id, lease_id=lease_id, result=None)
    worker.execute("select public.complete_job(%s, %s, '[1, 2]')", [job_id, lease_id])
    assert queue.job(job_id)["result"] == [1, 2]


def test_a_result_that_is_too_large_is_refused_and_the_lease_stays(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused("PT413", "result is too large"):
        complete(queue, job_id, lease_id, {"x": "y" * 524_288})
    assert queue.job(job_id)["status"] == "processing"
    complete(queue, job_id, lease_id, {"x": "y" * 524_270})
    assert queue.job(job_id)["status"] == "completed"


@pytest.mark.parametrize(
    ("usage", "sqlstate"),
    [
        ([1], "PT400"),
        ({"a": "x" * 8192}, "PT413"),
        ({"cost_micro_usd": -1}, "PT400"),
        ({"cost_micro_usd": 1.5}, "PT400"),
        ({"cost_micro_usd": "1"}, "PT400"),
    ],
)
def test_a_usage_that_is_no_small_object_is_refused(queue: Queue, usage: object, sqlstate: str) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused(sqlstate):
        if isinstance(usage, dict):
            complete(queue, job_id, lease_id, usage=usage)
        else:
            queue.worker().execute("select public.complete_job(%s, %s, '{}', '[1]')", [job_id, lease_id])


def test_a_result_that_comes_after_the_deadline_but_under_the_lease_counts(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    queue.owner.execute("update public.analysis_jobs set deadline_at = now() - interval '5 seconds'")
    complete(queue, job_id, lease_id)
    assert queue.job(job_id)["status"] == "completed"
