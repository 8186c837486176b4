"""Many sessions at once: each job once, and no limit ever exceeded."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from tests.sql.factories import ERROR, Queue, Session, call, claim

RUNNING = """
select type, max(total), max(of_user) from (
    select type, count(*) over (partition by type) as total, count(*) over (partition by type, user_id) as of_user
    from public.analysis_jobs where status = 'processing'
) as running group by type
"""
LIMITS = {"total": (5, None), "each": (None, 2), "both": (4, 1)}


def new_jobs(queue: Queue, type_name: str, users: list[UUID], per_user: int) -> None:
    statement = (
        "insert into public.analysis_jobs (user_id, type, input)"
        " select u, %s, '{}' from unnest(%s::uuid[]) as u, generate_series(1, %s)"
    )
    queue.owner.execute(statement, [type_name, users, per_user])


def unfinished(queue: Queue) -> int:
    query = "select count(*) from public.analysis_jobs where status in ('pending', 'processing')"
    row = queue.owner.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_eight_sessions_claim_two_thousand_jobs_each_exactly_once(queue: Queue) -> None:
    new_jobs(queue, "medical_exam", [queue.new_user() for _ in range(4)], 500)

    def claim_all(session: Session) -> list[str]:
        mine: list[str] = []
        while batch := claim(session, f"w{session.info.backend_pid}", uuid4(), max_jobs=7):
            mine += [job["id"] for job in batch]
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = [job for mine in pool.map(claim_all, [queue.worker() for _ in range(8)]) for job in mine]
    # Nobody stopped while there was something left, although others had rows locked all the time.
    assert len(taken) == 2000
    assert set(Counter(taken).values()) == {1}
    attempts = queue.owner.execute("select count(*), min(attempt), max(attempt) from public.analysis_attempts")
    assert attempts.fetchone() == (2000, 1, 1)


def settle_anyhow(session: Session, job: dict[str, Any], dice: random.Random) -> None:
    fence = {"job_id": job["id"], "lease_id": job["lease_id"]}
    match dice.randrange(10):
        case 0:
            call(session, "release_job", **fence)
        case 1:
            call(session, "defer_job", **fence, delay_seconds=0)
        case 2:
            call(session, "fail_job", **fence, error=ERROR, retryable=True, delay_seconds=0)
        case _:
            call(session, "complete_job", **fence, result={})


def test_no_limit_is_ever_exceeded(queue: Queue) -> None:
    users = [queue.new_user() for _ in range(6)]
    for type_name, (total, per_user) in LIMITS.items():
        queue.new_type(type_name, concurrency=total, concurrency_per_user=per_user, max_attempts=100)
        new_jobs(queue, type_name, users, 15)
    queue.owner.execute("update public.analysis_jobs set max_attempts = 100")
    done = threading.Event()

    def work(number: int, session: Session) -> None:
        dice = random.Random(number)
        worker = f"w{number}"
        while not done.is_set():
            jobs = claim(session, worker, uuid4(), types=list(LIMITS), max_jobs=dice.randint(1, 8))
            dice.shuffle(jobs)
            for job in jobs:
                settle_anyhow(session, job, dice)

    seen: Counter[tuple[str, int, int]] = Counter()
    with ThreadPoolExecutor(7) as pool:
        working = [pool.submit(work, number, queue.worker()) for number in range(7)]
        try:
            while unfinished(queue) > 0 and not any(future.done() for future in working):
                seen.update(queue.owner.execute(RUNNING).fetchall())
        finally:
            done.set()
        for future in working:
            future.result(timeout=30)
    for type_name, (total, per_user) in LIMITS.items():
        observed = [(of_type, of_user) for name, of_type, of_user in seen if name == type_name]
        assert max(of_type for of_type, _ in observed) <= (total or 1000)
        assert max(of_user for _, of_user in observed) <= (per_user or 1000)
    statuses = queue.owner.execute("select status, count(*) from public.analysis_jobs group by status").fetchall()
    assert statuses == [("completed", 6 * 15 * len(LIMITS))]
