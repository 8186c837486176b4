"""No two calls wait for each other, whoever calls what at the same time.

PostgREST repeats a call that was the victim of a deadlock without end, so there must be none.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from tests.sql.factories import ERROR, Queue, Session, call, claim

SECONDS = 4
TYPES = ["both", "medical_exam"]
SETTLES: dict[str, dict[str, Any]] = {
    "complete_job": {"result": {}},
    "fail_job": {"error": ERROR, "retryable": True, "delay_seconds": 0},
    "defer_job": {"delay_seconds": 0},
    "release_job": {},
}
OUTCOMES = {
    "complete_job": "completed",
    "fail_job": "failed",
    "defer_job": "deferred",
    "release_job": "released",
}


@dataclass(slots=True)
class Actor:
    """Does anything that locks rows, at random, to jobs that everybody works on."""

    number: int
    users: list[UUID]
    service: Session
    owner: Session
    dice: random.Random
    held: list[Any] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def enqueue(self) -> None:
        statement = (
            "insert into public.analysis_jobs (user_id, type, input) select %s, %s, '{}' from generate_series(1, 4)"
        )
        self.owner.execute(statement, [self.dice.choice(self.users), self.dice.choice(TYPES)])

    def claim(self) -> None:
        self.held += claim(self.service, f"w{self.number}", uuid4(), types=TYPES, max_jobs=3)

    def settle(self) -> None:
        if self.held:
            job = self.held.pop()
            function = self.dice.choice(list(SETTLES))
            call(self.service, function, job_id=job["id"], lease_id=job["lease_id"], **SETTLES[function])

    def settle_many(self) -> None:
        """Its own jobs and those of others, whose leases it has not."""
        settlements = [
            {"job_id": job["id"], "lease_id": job["lease_id"], "outcome": outcome, **SETTLES[function]}
            for job in self.held
            for function, outcome in [self.dice.choice(list(OUTCOMES.items()))]
        ]
        settlements += [
            {"job_id": str(self.any_job()), "lease_id": str(uuid4()), "outcome": "released"} for _ in range(2)
        ]
        self.dice.shuffle(settlements)
        self.held.clear()
        call(self.service, "settle_jobs", settlements=Jsonb(settlements))

    def cancel(self) -> None:
        try:
            call(self.service, "cancel_analysis", job_id=self.any_job())
        except psycopg.Error as error:
            if error.sqlstate != "PT404":  # deleted meanwhile
                raise

    def delete(self) -> None:
        self.owner.execute("delete from public.analysis_jobs where id = %s", [self.any_job()])

    def move(self) -> None:
        statement = "update public.analysis_jobs set priority = %s where id = %s and status = 'pending'"
        self.owner.execute(statement, [self.dice.randint(-3, 3), self.any_job()])

    def reconcile(self) -> None:
        call(self.service, "reconcile_jobs")

    def replay(self) -> None:
        call(self.service, "replay_jobs", status=self.dice.choice(["failed", "cancelled"]), max_jobs=3)

    def leave(self) -> None:
        call(self.service, "deregister_worker", worker_id=f"w{self.dice.randrange(8)}")

    def any_job(self) -> Any:
        jobs = self.owner.execute("select id from public.analysis_jobs").fetchall()
        return self.dice.choice(jobs)[0] if jobs else uuid4()

    def act_until(self, stop: threading.Event) -> Counter[str]:
        often: list[Callable[[], None]] = [self.claim, self.claim, self.settle, self.settle_many, self.enqueue]
        seldom = [self.cancel, self.delete, self.move, self.reconcile, self.replay, self.leave]
        while not stop.is_set():
            action = self.dice.choice([*often, *seldom])
            action()
            self.done[action.__name__] += 1
        return self.done


def test_no_two_calls_wait_for_each_other(queue: Queue) -> None:
    queue.new_type("both", concurrency=6, concurrency_per_user=2)
    users = [queue.new_user() for _ in range(3)]
    actors = [
        Actor(number, users, queue.worker(), queue.session("postgres"), random.Random(number)) for number in range(8)
    ]
    stop = threading.Event()
    with ThreadPoolExecutor(len(actors)) as pool:
        acting = [pool.submit(actor.act_until, stop) for actor in actors]
        stop.wait(SECONDS)
        stop.set()
        done = sum((future.result(timeout=30) for future in acting), Counter[str]())
    assert len(done) == 10
    assert min(done.values()) > 5
