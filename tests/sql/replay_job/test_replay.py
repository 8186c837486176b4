"""replay_job and replay_jobs: ended jobs run again, and somebody is on record for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import ERROR, Queue, call, claim, refused


def new_failed_job(queue: Queue, code: str = "broken", **columns: Any) -> UUID:
    job_id, lease_id = queue.new_claimed_job(**columns)
    error = ERROR | {"code": code}
    call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=error, retryable=False)
    return job_id


def new_cancelled_job(queue: Queue) -> UUID:
    job_id = queue.new_job()
    call(queue.worker(), "cancel_analysis", job_id=job_id)
    return job_id


def audit(queue: Queue) -> list[Any]:
    return queue.owner.execute("select actor, action, details from public.analysis_audit order by id").fetchall()


def statuses(queue: Queue, *jobs: UUID) -> list[str]:
    return [queue.job(job_id)["status"] for job_id in jobs]


def test_a_failed_job_starts_again_from_its_first_attempt(queue: Queue) -> None:
    job_id = new_failed_job(queue, max_attempts=1)
    queue.owner.execute("update public.analysis_jobs set rescues = 2, progress = 0.5, phase = 'reading'")
    answer = call(queue.worker(), "replay_job", job_id=job_id)
    assert answer == {"id": str(job_id), "status": "pending", "replayed": True}
    job = queue.job(job_id)
    assert (job["attempt"], job["rescues"], job["progress"], job["phase"]) == (0, 0, 0, None)
    assert (job["error"], job["finished_at"]) == (None, None)
    (claimed,) = claim(queue.worker(), "w1", lease_id := uuid4())
    assert (claimed["id"], claimed["attempt"]) == (str(job_id), 1)
    assert call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})["status"] == "completed"


def test_a_cancelled_job_runs_again_too(queue: Queue) -> None:
    job_id = new_cancelled_job(queue)
    assert call(queue.worker(), "replay_job", job_id=job_id)["replayed"] is True
    assert [job["id"] for job in claim(queue.worker(), "w1", uuid4())] == [str(job_id)]


def test_the_history_stays(queue: Queue) -> None:
    job_id = new_failed_job(queue)
    call(queue.worker(), "replay_job", job_id=job_id)
    claim(queue.worker(), "w1", uuid4())
    query = "select attempt, outcome from public.analysis_attempts where job_id = %s order by started_at"
    assert queue.owner.execute(query, [job_id]).fetchall() == [(1, "failed"), (1, None)]


def test_an_old_lease_writes_nothing_to_a_replayed_job(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    fence = {"job_id": job_id, "lease_id": lease_id}
    call(queue.worker(), "fail_job", **fence, error=ERROR, retryable=False)
    call(queue.worker(), "replay_job", job_id=job_id)
    before = queue.everything()
    assert call(queue.worker(), "complete_job", **fence, result={})["status"] == "pending"
    assert queue.everything() == before


def test_other_jobs_stay_as_they_are(queue: Queue) -> None:
    running, _ = queue.new_claimed_job()
    pending = queue.new_job()
    before = queue.everything()
    for job_id, status in ((running, "processing"), (pending, "pending")):
        answer = call(queue.worker(), "replay_job", job_id=job_id)
        assert answer == {"id": str(job_id), "status": status, "replayed": False}
    assert queue.everything() == before
    assert audit(queue) == []
    with refused("PT404"):
        call(queue.worker(), "replay_job", job_id=uuid4())


def test_the_audit_says_who_replayed_what_and_nothing_of_its_content(queue: Queue) -> None:
    job_id = new_failed_job(queue, input={"secret": 1})
    operator = uuid4()
    call(queue.session("service_role", operator), "replay_job", job_id=job_id)
    details = {"job_id": str(job_id), "status": "failed"}
    assert audit(queue) == [(f"service_role {operator}", "replay_job", details)]


def test_twice_is_once(queue: Queue) -> None:
    job_id = new_failed_job(queue)
    call(queue.worker(), "replay_job", job_id=job_id)
    assert call(queue.worker(), "replay_job", job_id=job_id)["replayed"] is False
    assert len(audit(queue)) == 1


def test_failed_jobs_are_replayed_by_type_and_code_and_time(queue: Queue) -> None:
    queue.new_type("echo")
    wanted = new_failed_job(queue, "overloaded", type="echo")
    others = [
        new_failed_job(queue, "overloaded"),
        new_failed_job(queue, "broken", type="echo"),
        new_failed_job(queue, "overloaded", type="echo"),
        new_cancelled_job(queue),
    ]
    queue.owner.execute("update public.analysis_jobs set finished_at = '2026-01-01' where id = %s", [others[2]])
    filters = {"type": "echo", "error_code": "overloaded", "since": "2026-02-01"}
    assert call(queue.worker(), "replay_jobs", **filters) == {"replayed": 1}
    assert statuses(queue, wanted, *others) == ["pending", "failed", "failed", "failed", "cancelled"]
    ((actor, action, details),) = audit(queue)
    assert (actor, action) == ("service_role", "replay_jobs")
    assert (details["type"], details["error_code"], details["replayed"]) == ("echo", "overloaded", 1)


def test_without_filters_all_failed_jobs_are_replayed_and_no_cancelled_ones(queue: Queue) -> None:
    failed, cancelled = [new_failed_job(queue) for _ in range(3)], new_cancelled_job(queue)
    assert call(queue.worker(), "replay_jobs") == {"replayed": 3}
    assert statuses(queue, *failed, cancelled) == ["pending"] * 3 + ["cancelled"]
    assert call(queue.worker(), "replay_jobs") == {"replayed": 0}
    assert call(queue.worker(), "replay_jobs", status="cancelled") == {"replayed": 1}


def test_no_more_are_replayed_than_asked_for_and_the_first_that_failed_first(queue: Queue) -> None:
    jobs = [new_failed_job(queue) for _ in range(3)]
    assert call(queue.worker(), "replay_jobs", max_jobs=2) == {"replayed": 2}
    assert statuses(queue, *jobs) == ["pending", "pending", "failed"]


@pytest.mark.parametrize("status", ["completed", "pending", "processing", None])
def test_only_failed_and_cancelled_jobs_can_be_asked_for(queue: Queue, status: str | None) -> None:
    with refused("PT400", "status"):
        call(queue.worker(), "replay_jobs", status=status)


@pytest.mark.parametrize("max_jobs", [0, 1001, None])
def test_a_number_that_makes_no_sense_is_refused(queue: Queue, max_jobs: int | None) -> None:
    with refused("PT400", "max_jobs"):
        call(queue.worker(), "replay_jobs", max_jobs=max_jobs)
