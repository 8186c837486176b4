"""delete_user_data while the user asks, workers work and others erase too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg

from tests.sql.factories import Queue, Session, call, claim, eventually


def work(worker: Session) -> None:
    for _ in range(25):
        lease_id = uuid4()
        for job in claim(worker, str(worker.info.backend_pid), lease_id, types=["echo"], max_jobs=5):
            call(worker, "complete_job", job_id=job["id"], lease_id=lease_id, result={"x": 1})


def ask(user: Session) -> None:
    for number in range(40):
        job_id = call(user, "enqueue_analysis", type="echo", input={"n": number})["id"]
        if number % 3 == 0:
            cancel_unless_deleted(user, job_id)


def cancel_unless_deleted(user: Session, job_id: str) -> None:
    try:
        call(user, "cancel_analysis", job_id=job_id)
    except psycopg.Error as error:
        if error.sqlstate != "PT404":
            raise


def erase(operator: Session, user_id: UUID) -> None:
    for _ in range(25):
        call(operator, "delete_user_data", user_id=user_id)


def test_it_waits_for_a_call_that_enqueues_and_deletes_that_job_too(queue: Queue) -> None:
    queue.new_type("echo")
    user_id = queue.new_user()
    user, operator = queue.user(user_id), queue.worker()
    with ThreadPoolExecutor() as pool:
        with user.transaction():
            call(user, "enqueue_analysis", type="echo", input={})
            deleted = pool.submit(call, operator, "delete_user_data", user_id=user_id)
            eventually(lambda: queue.waits_for_lock(operator))
        assert deleted.result(timeout=10)["jobs"] == 1
    assert queue.everything() == []


def test_it_meets_claims_settles_cancels_and_itself_without_a_deadlock(queue: Queue) -> None:
    queue.new_type("echo", cache_ttl_seconds=3600, concurrency_per_user=3)
    users = [queue.new_user() for _ in range(4)]
    workers, operators = [queue.worker() for _ in range(3)], [queue.worker() for _ in range(3)]
    sessions = [queue.user(user_id) for user_id in users]
    erased = [users[0], users[0], users[1]]
    with ThreadPoolExecutor(max_workers=10) as pool:
        running = [pool.submit(work, worker) for worker in workers]
        running += [pool.submit(ask, session) for session in sessions]
        running += [pool.submit(erase, *pair) for pair in zip(operators, erased, strict=True)]
        for future in running:
            future.result(timeout=60)
    for user_id in users:
        call(queue.worker(), "delete_user_data", user_id=user_id)
    assert queue.everything() == []
