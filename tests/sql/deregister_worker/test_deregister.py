"""deregister_worker: the last word of a worker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.sql.factories import Queue, call, claim, eventually


def test_a_worker_that_leaves_is_forgotten(queue: Queue) -> None:
    worker = queue.worker()
    call(worker, "heartbeat_worker", worker_id="w1")
    call(worker, "heartbeat_worker", worker_id="w2")
    assert call(worker, "deregister_worker", worker_id="w1") == {"removed": True, "released": 0}
    assert call(worker, "deregister_worker", worker_id="w1") == {"removed": False, "released": 0}
    assert queue.owner.execute("select id from public.analysis_workers").fetchall() == [("w2",)]


def test_jobs_that_it_still_held_are_released_and_their_attempts_given_back(queue: Queue) -> None:
    worker = queue.worker()
    job_id, lease_id = queue.new_claimed_job("w1")
    other_id, _ = queue.new_claimed_job("w2")
    assert call(worker, "deregister_worker", worker_id="w1") == {"removed": True, "released": 1}
    job = queue.job(job_id)
    assert (job["status"], job["attempt"], job["rescues"]) == ("pending", 0, 0)
    assert queue.attempt(job_id, lease_id)["outcome"] == "released"
    assert queue.job(other_id)["status"] == "processing"
    (claimed,) = claim(worker, "w2", uuid4())
    assert claimed["id"] == str(job_id)


def test_jobs_of_a_worker_that_was_forgotten_already_are_released_too(queue: Queue) -> None:
    job_id, _ = queue.new_claimed_job("w1")
    queue.owner.execute("delete from public.analysis_workers")
    assert call(queue.worker(), "deregister_worker", worker_id="w1") == {"removed": False, "released": 1}
    assert queue.job(job_id)["status"] == "pending"


def test_a_claim_that_is_on_its_way_is_waited_for_and_released(queue: Queue) -> None:
    job_id = queue.new_job()
    first, second = queue.worker(), queue.worker()
    call(first, "heartbeat_worker", worker_id="w1")
    with ThreadPoolExecutor() as pool:
        with first.transaction():
            assert len(claim(first, "w1", uuid4())) == 1
            gone = pool.submit(call, second, "deregister_worker", worker_id="w1")
            eventually(lambda: queue.waits_for_lock(second))
        assert gone.result(timeout=10) == {"removed": True, "released": 1}
    assert queue.job(job_id)["status"] == "pending"


def test_a_settlement_that_is_on_its_way_stands(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job("w1")
    first, second = queue.worker(), queue.worker()
    with ThreadPoolExecutor() as pool:
        with first.transaction():
            call(first, "complete_job", job_id=job_id, lease_id=lease_id, result={})
            gone = pool.submit(call, second, "deregister_worker", worker_id="w1")
            eventually(lambda: queue.waits_for_lock(second))
        assert gone.result(timeout=10) == {"removed": True, "released": 0}
    assert queue.job(job_id)["status"] == "completed"
