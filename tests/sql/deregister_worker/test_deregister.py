"""deregister_worker: the last word of a worker."""

from __future__ import annotations

from tests.sql.factories import Queue, call


def test_a_worker_that_leaves_is_forgotten(queue: Queue) -> None:
    worker = queue.worker()
    call(worker, "heartbeat_worker", worker_id="w1")
    call(worker, "heartbeat_worker", worker_id="w2")
    assert call(worker, "deregister_worker", worker_id="w1") == {"removed": True}
    assert call(worker, "deregister_worker", worker_id="w1") == {"removed": False}
    assert queue.owner.execute("select id from public.analysis_workers").fetchall() == [("w2",)]


def test_jobs_that_it_still_held_are_rescued_at_the_next_reconciliation(queue: Queue) -> None:
    worker = queue.worker()
    job_id, _ = queue.new_claimed_job("w1")
    call(worker, "deregister_worker", worker_id="w1")
    assert call(worker, "reconcile_jobs")["rescued"] == 1
    assert queue.job(job_id)["status"] == "pending"
