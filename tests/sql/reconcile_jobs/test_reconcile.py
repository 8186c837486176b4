"""reconcile_jobs: whose attempts it ends, what becomes of the jobs, and what it leaves alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import Queue, call, claim, eventually


def reconcile(queue: Queue) -> Any:
    return call(queue.worker(), "reconcile_jobs")


def counts(answer: Any) -> tuple[int, int, int]:
    return answer["rescued"], answer["expired"], answer["failed"]


def pass_deadline(queue: Queue, seconds: float) -> None:
    statement = "update public.analysis_jobs set deadline_at = now() - make_interval(secs => %s) where leased_by = 'w1'"
    queue.owner.execute(statement, [seconds])


def test_with_nothing_to_do_it_changes_nothing(queue: Queue) -> None:
    queue.new_claimed_job()
    queue.new_job(type=queue.new_type("echo"))
    before = queue.everything()
    answer = reconcile(queue)
    assert (answer["ran"], counts(answer)) == (True, (0, 0, 0))
    assert queue.everything() == before


def test_a_job_of_a_dead_worker_is_pending_again_at_once(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job("w1")
    queue.silence("w1", seconds=26)
    assert counts(reconcile(queue)) == (1, 0, 0)
    job = queue.job(job_id)
    assert (job["status"], job["attempt"], job["rescues"], job["lease_id"]) == ("pending", 1, 1, None)
    attempt = queue.attempt(job_id, lease_id)
    assert (attempt["outcome"], attempt["error"]["code"]) == ("lost", "worker_lost")
    (claimed,) = claim(queue.worker(), "w2", uuid4())
    assert (claimed["id"], claimed["attempt"]) == (str(job_id), 2)


@pytest.mark.parametrize(("lease_seconds", "silent", "rescued"), [(25, 20, 0), (60, 50, 0), (60, 61, 1), (2, 3, 1)])
def test_a_worker_counts_as_dead_after_its_own_lease_time(
    queue: Queue, lease_seconds: int, silent: int, rescued: int
) -> None:
    call(queue.worker(), "heartbeat_worker", worker_id="w1", state={"lease_seconds": lease_seconds})
    queue.new_claimed_job("w1")
    queue.silence("w1", seconds=silent)
    assert reconcile(queue)["rescued"] == rescued


def test_a_job_whose_worker_has_no_row_is_rescued(queue: Queue) -> None:
    queue.new_claimed_job("w1")
    queue.owner.execute("delete from public.analysis_workers")
    assert counts(reconcile(queue)) == (1, 0, 0)


def test_a_long_job_of_a_living_worker_is_not_rescued(queue: Queue) -> None:
    queue.owner.execute("update public.analysis_types set timeout_seconds = 1800")
    job_id, lease_id = queue.new_claimed_job()
    for minutes in range(1, 21):
        queue.owner.execute(
            "update public.analysis_jobs set started_at = now() - %(age)s * interval '1 minute',"
            " deadline_at = now() + (30 - %(age)s) * interval '1 minute'",
            {"age": minutes},
        )
        queue.silence("w1", seconds=24)
        reconcile(queue)
        call(queue.worker(), "heartbeat_worker", worker_id="w1")
    assert queue.job(job_id)["lease_id"] == str(lease_id)
    assert queue.job(job_id)["rescues"] == 0


def test_only_the_dead_workers_jobs_are_rescued(queue: Queue) -> None:
    dead, _ = queue.new_claimed_job("w1")
    alive, _ = queue.new_claimed_job("w2")
    queue.silence("w1", seconds=60)
    reconcile(queue)
    assert (queue.job(dead)["status"], queue.job(alive)["status"]) == ("pending", "processing")


def test_a_lost_last_attempt_fails_the_job(queue: Queue) -> None:
    job_id, _ = queue.new_claimed_job("w1", max_attempts=1)
    queue.silence("w1", seconds=60)
    assert counts(reconcile(queue)) == (0, 0, 1)
    job = queue.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "worker_lost")


def test_a_job_that_outlived_too_many_workers_fails_as_poison(queue: Queue) -> None:
    queue.new_type("echo", max_attempts=10, max_rescues=2)
    job_id = queue.new_job(type="echo", max_attempts=10)
    for worker in ("w1", "w2", "w3"):
        assert queue.job(job_id)["status"] == "pending"
        claim(queue.worker(), worker, uuid4(), types=["echo"])
        queue.silence(worker, seconds=60)
        reconcile(queue)
    job = queue.job(job_id)
    assert (job["status"], job["error"]["code"], job["attempt"], job["rescues"]) == ("failed", "poison_job", 3, 3)


def test_an_attempt_past_its_deadline_and_grace_is_ended_like_a_failure(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job("w1")
    pass_deadline(queue, seconds=16)
    assert counts(reconcile(queue)) == (0, 1, 0)
    job = queue.job(job_id)
    assert (job["status"], job["attempt"], job["rescues"]) == ("pending", 1, 0)
    attempt = queue.attempt(job_id, lease_id)
    assert (attempt["outcome"], attempt["error"]["code"]) == ("expired", "deadline_exceeded")


def test_an_expired_last_attempt_fails_the_job(queue: Queue) -> None:
    job_id, _ = queue.new_claimed_job("w1", max_attempts=1)
    pass_deadline(queue, seconds=16)
    assert counts(reconcile(queue)) == (0, 0, 1)
    assert queue.job(job_id)["error"]["code"] == "deadline_exceeded"


def test_within_the_grace_the_attempt_is_the_workers_own_business(queue: Queue) -> None:
    queue.new_claimed_job("w1")
    pass_deadline(queue, seconds=10)
    assert counts(reconcile(queue)) == (0, 0, 0)


def test_one_call_at_a_time_does_the_work(queue: Queue) -> None:
    queue.new_claimed_job("w1")
    queue.silence("w1", seconds=60)
    first, second = queue.worker(), queue.worker()
    second.execute("set statement_timeout = '5s'")
    with first.transaction():
        assert call(first, "reconcile_jobs")["ran"] is True
        answer = call(second, "reconcile_jobs")
    assert (answer["ran"], counts(answer)) == (False, (0, 0, 0))
    assert reconcile(queue)["ran"] is True


def test_one_call_ends_a_bounded_number_of_attempts(queue: Queue) -> None:
    for _ in range(201):
        queue.new_job()
    for _ in range(3):
        claim(queue.worker(), "w1", uuid4(), max_jobs=100)
    queue.silence("w1", seconds=60)
    assert [reconcile(queue)["rescued"] for _ in range(3)] == [200, 1, 0]


def test_a_job_that_is_being_settled_is_skipped_and_settled(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job("w1")
    queue.silence("w1", seconds=60)
    worker = queue.worker()
    with worker.transaction():
        call(worker, "complete_job", job_id=job_id, lease_id=lease_id, result={})
        assert counts(reconcile(queue)) == (0, 0, 0)
    assert queue.job(job_id)["status"] == "completed"


def test_a_settlement_that_waits_for_a_rescue_is_lost(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job("w1")
    queue.silence("w1", seconds=60)
    reconciler, worker = queue.worker(), queue.worker()
    fence: dict[str, UUID] = {"job_id": job_id, "lease_id": lease_id}
    with ThreadPoolExecutor() as pool:
        with reconciler.transaction():
            assert counts(call(reconciler, "reconcile_jobs")) == (1, 0, 0)
            late = pool.submit(call, worker, "complete_job", **fence, result={})
            eventually(lambda: queue.waits_for_lock(worker))
        answer = late.result(timeout=10)
    assert (answer["lease"], answer["status"]) == ("lost", "pending")


def test_a_claim_by_a_worker_that_was_silent_is_not_rescued(queue: Queue) -> None:
    call(queue.worker(), "heartbeat_worker", worker_id="w1")
    queue.silence("w1", seconds=3600)
    queue.new_job()
    assert len(claim(queue.worker(), "w1", uuid4())) == 1
    assert counts(reconcile(queue)) == (0, 0, 0)


def test_workers_silent_for_more_than_a_day_are_forgotten(queue: Queue) -> None:
    for worker in ("old", "new"):
        call(queue.worker(), "heartbeat_worker", worker_id=worker)
    queue.silence("old", seconds=86_400 + 60)
    queue.silence("new", seconds=86_400 - 60)
    reconcile(queue)
    assert queue.owner.execute("select id from public.analysis_workers").fetchall() == [("new",)]


def test_it_counts_what_is_due_and_says_when_the_next_is(queue: Queue) -> None:
    queue.new_type("halted", paused=True)
    queue.new_job()
    queue.new_job(scheduled_at="2999-01-01")
    queue.owner.execute(
        "insert into public.analysis_jobs (type, input, scheduled_at) values"
        " ('medical_exam', '{}', now() + interval '90 s'), ('halted', '{}', now() + interval '9 s')"
    )
    answer = reconcile(queue)
    assert answer["pending"] == 1
    assert 80 < answer["next_due_seconds"] <= 90


def test_with_nothing_scheduled_there_is_no_next(queue: Queue) -> None:
    queue.new_job()
    answer = reconcile(queue)
    assert (answer["pending"], answer["next_due_at"], answer["next_due_seconds"]) == (1, None, None)
