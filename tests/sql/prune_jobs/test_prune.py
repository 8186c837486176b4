"""prune_jobs: what its type keeps no longer goes, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from tests.sql.factories import ERROR, Queue, call, refused

NOTHING = {"completed": 0, "failed": 0, "cancelled": 0, "results": 0, "more": False}


def new_ended_job(queue: Queue, status: str, days_ago: float, **columns: Any) -> UUID:
    job_id = queue.new_job(type="echo", **columns)
    queue.owner.execute(
        "update public.analysis_jobs set status = %s, finished_at = now() - make_interval(secs => %s),"
        " result = case %s when 'completed' then '{}'::jsonb end,"
        " error = case %s when 'failed' then %s::jsonb end where id = %s",
        [status, days_ago * 86400, status, status, '{"code": "c", "message": "m"}', job_id],
    )
    return job_id


def left(queue: Queue) -> set[UUID]:
    return {job_id for (job_id,) in queue.owner.execute("select id from public.analysis_jobs").fetchall()}


def prune(queue: Queue, **arguments: Any) -> Any:
    return call(queue.worker(), "prune_jobs", **arguments)


def test_each_end_is_kept_as_long_as_its_type_says(queue: Queue) -> None:
    queue.new_type("echo", retain_completed_days=10, retain_failed_days=3)
    kept = {new_ended_job(queue, "completed", 9.9)} | {
        new_ended_job(queue, status, 2.9) for status in ("failed", "cancelled")
    }
    for status in ("completed", "failed", "cancelled"):
        new_ended_job(queue, status, 10.1)
    assert prune(queue) == NOTHING | {"completed": 1, "failed": 1, "cancelled": 1}
    assert left(queue) == kept
    assert prune(queue) == NOTHING


def test_without_a_period_jobs_are_kept_for_ever(queue: Queue) -> None:
    queue.new_type("echo")
    kept = {new_ended_job(queue, status, 10_000) for status in ("completed", "failed", "cancelled")}
    assert prune(queue) == NOTHING
    assert left(queue) == kept


def test_jobs_that_have_not_ended_are_kept_however_old(queue: Queue) -> None:
    queue.new_type("echo", retain_completed_days=1, retain_failed_days=1)
    running, _ = queue.new_claimed_job(type="echo")
    pending = queue.new_job(type="echo")
    queue.owner.execute("update public.analysis_jobs set created_at = now() - interval '1 year'")
    assert prune(queue) == NOTHING
    assert left(queue) == {running, pending}


def test_it_works_in_batches_the_oldest_first(queue: Queue) -> None:
    queue.new_type("echo", retain_completed_days=1)
    ended = [new_ended_job(queue, "completed", 2 + age) for age in range(5)]
    assert prune(queue, max_jobs=2) == NOTHING | {"completed": 2, "more": True}
    assert left(queue) == set(ended[:3])
    assert prune(queue, max_jobs=2)["more"] is True
    assert prune(queue, max_jobs=2) == NOTHING | {"completed": 1}


def test_a_job_takes_its_attempts_keys_and_results_with_it(queue: Queue) -> None:
    queue.new_type("echo", retain_completed_days=1, cache_ttl_seconds=100 * 86400)
    user_id = queue.new_user()
    job_id = complete_one(queue, user_id)
    queue.owner.execute("update public.analysis_jobs set finished_at = now() - interval '2 days'")
    assert prune(queue) == NOTHING | {"completed": 1}
    for table in ("jobs", "attempts", "idempotency_keys", "cache"):
        count = queue.owner.execute(f"select count(*) from public.analysis_{table}".encode()).fetchone()
        assert count == (0,), table
    assert call(queue.user(user_id), "enqueue_analysis", type="echo", input={}, idempotency_key="k")["id"] != job_id


def complete_one(queue: Queue, user_id: UUID) -> str:
    answer = call(queue.user(user_id), "enqueue_analysis", type="echo", input={}, idempotency_key="k")
    worker, lease_id = queue.worker(), UUID(int=1)
    call(worker, "claim_job", worker_id="w1", lease_id=lease_id, types=["echo"], max_jobs=1)
    call(worker, "complete_job", job_id=answer["id"], lease_id=lease_id, result={})
    assert isinstance(answer["id"], str)
    return answer["id"]


def test_expired_results_go_and_their_jobs_stay(queue: Queue) -> None:
    queue.new_type("echo", cache_ttl_seconds=60)
    job_id = complete_one(queue, queue.new_user())
    assert prune(queue) == NOTHING
    past = "created_at = now() - interval '2 days', expires_at = now() - interval '1 second'"
    queue.owner.execute(f"update public.analysis_cache set {past}".encode())
    assert prune(queue) == NOTHING | {"results": 1}
    assert left(queue) == {UUID(job_id)}


def test_a_job_that_is_being_replayed_is_left_alone_without_waiting(queue: Queue) -> None:
    queue.new_type("echo", retain_failed_days=1)
    replayed = new_ended_job(queue, "failed", 3)
    new_ended_job(queue, "failed", 2)
    operator, pruner = queue.worker(), queue.worker()
    with operator.transaction():
        call(operator, "replay_job", job_id=replayed)
        assert call(pruner, "prune_jobs") == NOTHING | {"failed": 1}
    assert left(queue) == {replayed}


def test_several_at_a_time_delete_each_job_once(queue: Queue) -> None:
    queue.new_type("echo", retain_completed_days=1)
    queue.owner.execute(
        "insert into public.analysis_jobs (type, input, status, result, finished_at)"
        " select 'echo', '{}', 'completed', '{}', now() - interval '2 days' from generate_series(1, 200)"
    )
    sessions = [queue.worker() for _ in range(6)]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda session: call(session, "prune_jobs", max_jobs=50), sessions))
    assert sum(answer["completed"] for answer in answers) == 200 - len(left(queue))
    assert len(left(queue)) == 0


@pytest.mark.parametrize("max_jobs", [None, 0, 100_001])
def test_a_senseless_batch_is_refused(queue: Queue, max_jobs: int | None) -> None:
    with refused("PT400", "max_jobs"):
        prune(queue, max_jobs=max_jobs)


def test_a_failed_job_with_its_error_goes_too(queue: Queue) -> None:
    queue.new_type("echo", retain_failed_days=1)
    job_id, lease_id = queue.new_claimed_job(type="echo")
    call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=ERROR, retryable=False)
    queue.owner.execute("update public.analysis_jobs set finished_at = now() - interval '2 days'")
    assert prune(queue)["failed"] == 1
    assert queue.everything() == []
