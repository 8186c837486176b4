"""Batches that share jobs, in any order and at the same time: each job ends once, and nobody waits in a circle."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from tests.sql.factories import ERROR, Queue, Session, call, claim

ROUNDS, JOBS, BATCHES = 25, 60, 4
OUTCOMES: list[dict[str, Any]] = [
    {"outcome": "completed", "result": {}},
    {"outcome": "failed", "error": ERROR, "retryable": False},
    {"outcome": "deferred", "delay_seconds": 0},
    {"outcome": "released"},
]


def settle(session: Session, jobs: list[Any], dice: random.Random) -> dict[str, Any]:
    """All of these jobs in one call, in any order and with any outcome; the answer to each."""
    shuffled = dice.sample(jobs, len(jobs))
    batch = [{"job_id": job["id"], "lease_id": job["lease_id"], **dice.choice(OUTCOMES)} for job in shuffled]
    answers = call(session, "settle_jobs", settlements=Jsonb(batch))
    return {job["id"]: answer for job, answer in zip(shuffled, answers, strict=True)}


def cancel(session: Session, jobs: list[Any]) -> None:
    for job in jobs:
        call(session, "cancel_analysis", job_id=job["id"])


def test_batches_that_share_jobs_end_each_once_and_agree_on_how(queue: Queue) -> None:
    queue.new_type("shared", cache_ttl_seconds=60)
    users, dice = [queue.new_user() for _ in range(6)], random.Random(9)
    settlers, canceller = [queue.worker() for _ in range(BATCHES)], queue.worker()
    with ThreadPoolExecutor(BATCHES + 1) as pool:
        for _ in range(ROUNDS):
            jobs = claimed(queue, canceller, users, dice)
            settling = [pool.submit(settle, each, jobs, random.Random(dice.random())) for each in settlers]
            cancelling = pool.submit(cancel, canceller, dice.sample(jobs, 5))
            answers = [future.result(timeout=30) for future in settling]
            cancelling.result(timeout=30)
            for job in jobs:
                assert len({answer[job["id"]]["outcome"] for answer in answers}) == 1
            queue.owner.execute("delete from public.analysis_jobs")
    assert queue.owner.execute("select count(*) from public.analysis_queue").fetchone() == (0,)


def claimed(queue: Queue, claimer: Session, users: list[UUID], dice: random.Random) -> list[Any]:
    queue.owner.cursor().executemany(
        "insert into public.analysis_jobs (type, input, user_id, cache_key) values ('shared', '{}', %s, %s)",
        [(dice.choice(users), dice.choice("abcdef") * 64) for _ in range(JOBS)],
    )
    return claim(claimer, "w1", uuid4(), types=["shared"], max_jobs=JOBS)
