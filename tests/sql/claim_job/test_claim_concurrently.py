"""claim_job in many sessions at once: every job goes to one worker, and nobody waits for anybody else's jobs."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.sql.factories import Queue, Session, call, claim, eventually


def test_two_open_claims_take_different_jobs_without_waiting(queue: Queue) -> None:
    queue.new_job(user_id=queue.new_user())
    queue.new_job(user_id=queue.new_user())
    first, second = queue.worker(), queue.worker()
    second.execute("set statement_timeout = '5s'")
    with first.transaction():
        (one,) = claim(first, "w1", uuid4())
        (other,) = claim(second, "w2", uuid4())
    assert one["id"] != other["id"]


def test_a_job_in_an_open_claim_is_not_there_for_others(queue: Queue) -> None:
    queue.new_job()
    first, second = queue.worker(), queue.worker()
    with first.transaction():
        claim(first, "w1", uuid4())
        assert claim(second, "w2", uuid4()) == []


def test_a_claim_that_is_rolled_back_leaves_the_job_and_the_lease_unused(queue: Queue) -> None:
    queue.new_job()
    worker, lease_id = queue.worker(), uuid4()
    with worker.transaction(force_rollback=True):
        assert len(claim(worker, "w1", lease_id)) == 1
    (again,) = claim(worker, "w1", lease_id)
    assert again["attempt"] == 1


def test_a_repeated_claim_that_overtakes_the_first_waits_and_returns_the_same_jobs(queue: Queue) -> None:
    for _ in range(4):
        queue.new_job()
    first, second, lease_id = queue.worker(), queue.worker(), uuid4()
    call(first, "heartbeat_worker", worker_id="w1")  # else the second would wait for the worker's row already
    with ThreadPoolExecutor() as pool:
        with first.transaction():
            claimed = claim(first, "w1", lease_id, max_jobs=2)
            repeated = pool.submit(claim, second, "w1", lease_id, max_jobs=2)
            eventually(lambda: queue.waits_for_lock(second))
        assert repeated.result(timeout=10) == claimed


def test_eight_workers_claim_two_hundred_jobs_exactly_once(queue: Queue) -> None:
    jobs = {str(queue.new_job()) for _ in range(200)}

    def claim_all(session: Session) -> list[str]:
        mine: list[str] = []
        while batch := claim(session, f"w{session.info.backend_pid}", uuid4(), max_jobs=3):
            mine += [job["id"] for job in batch]
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = [job for mine in pool.map(claim_all, [queue.worker() for _ in range(8)]) for job in mine]
    # Rows that others have locked are skipped, so a worker may stop early; what is left is still there to be had.
    taken += claim_all(queue.worker())
    assert Counter(taken) == Counter(jobs)
    counts = queue.owner.execute("select count(*), max(attempt), min(attempt) from public.analysis_attempts").fetchone()
    assert counts == (200, 1, 1)


def test_jobs_that_fail_over_and_over_are_claimed_once_per_attempt(queue: Queue) -> None:
    for _ in range(20):
        queue.new_job()
    error = {"code": "broken", "message": "It broke."}

    def claim_and_fail(session: Session) -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        while batch := claim(session, "w", lease_id := uuid4(), max_jobs=2):
            for job in batch:
                seen.append((job["id"], job["attempt"]))
                fence = {"job_id": job["id"], "lease_id": lease_id}
                call(session, "fail_job", **fence, error=error, retryable=True, delay_seconds=0)
        return seen

    with ThreadPoolExecutor(4) as pool:
        seen = [pair for pairs in pool.map(claim_and_fail, [queue.worker() for _ in range(4)]) for pair in pairs]
    seen += claim_and_fail(queue.worker())
    assert len(seen) == len(set(seen)) == 60
    assert queue.owner.execute("select distinct status, attempt from public.analysis_jobs").fetchall() == [
        ("failed", 3)
    ]
