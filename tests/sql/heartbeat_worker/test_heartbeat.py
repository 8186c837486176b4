"""heartbeat_worker: keeps the worker's row fresh, tells it which leases are gone, and touches no job."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import Queue, call, claim, refused


def heartbeat(queue: Queue, *held: tuple[UUID, UUID], worker: str = "w1", **state: Any) -> Any:
    pairs = json.dumps([{"job_id": str(job_id), "lease_id": str(lease_id)} for job_id, lease_id in held])
    return call(queue.worker(), "heartbeat_worker", worker_id=worker, state=state, held=pairs)


def worker_row(queue: Queue) -> Any:
    query = "select id, lease_seconds, state, now() - heartbeat_at < interval '5 seconds' from public.analysis_workers"
    (row,) = queue.owner.execute(query).fetchall()
    return row


def test_the_first_heartbeat_makes_the_workers_row(queue: Queue) -> None:
    assert call(queue.worker(), "heartbeat_worker", worker_id="w1") == {"lost": []}
    assert worker_row(queue) == ("w1", 25, {}, True)


def test_a_heartbeat_renews_the_row_and_keeps_the_lease_time_once_said(queue: Queue) -> None:
    heartbeat(queue, lease_seconds=12.5, version="1")
    queue.silence("w1", seconds=60)
    heartbeat(queue, version="2")
    assert worker_row(queue) == ("w1", 12.5, {"version": "2"}, True)


def test_held_leases_are_not_lost_and_no_job_is_touched(queue: Queue) -> None:
    held = [queue.new_claimed_job(), queue.new_claimed_job()]
    before = queue.everything()
    assert heartbeat(queue, *held) == {"lost": []}
    assert queue.everything() == before


def test_a_cancelled_job_is_lost(queue: Queue) -> None:
    user_id = queue.new_user()
    kept, cancelled = queue.new_claimed_job(), queue.new_claimed_job(user_id=user_id)
    call(queue.user(user_id), "cancel_analysis", job_id=cancelled[0])
    assert heartbeat(queue, kept, cancelled) == {"lost": [str(cancelled[0])]}


def test_a_rescued_job_is_lost_even_when_the_same_worker_has_it_again(queue: Queue) -> None:
    job_id, old_lease = queue.new_claimed_job()
    queue.silence("w1", seconds=60)
    call(queue.worker(), "reconcile_jobs")
    new_lease = uuid4()
    claim(queue.worker(), "w1", new_lease)
    assert heartbeat(queue, (job_id, old_lease)) == {"lost": [str(job_id)]}
    assert heartbeat(queue, (job_id, new_lease)) == {"lost": []}


def test_a_deleted_job_and_one_never_claimed_are_lost(queue: Queue) -> None:
    deleted, never = queue.new_claimed_job(), (queue.new_job(), uuid4())
    queue.owner.execute("delete from public.analysis_jobs where id = %s", [deleted[0]])
    assert set(heartbeat(queue, deleted, never)["lost"]) == {str(deleted[0]), str(never[0])}


def test_a_job_that_the_worker_has_just_settled_is_not_lost(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})
    assert heartbeat(queue, (job_id, lease_id)) == {"lost": []}


@pytest.mark.parametrize("lease_seconds", [1, 3601, "25", None, 1e300])
def test_a_lease_time_that_makes_no_sense_is_refused(queue: Queue, lease_seconds: Any) -> None:
    with refused("PT400", "lease_seconds"):
        heartbeat(queue, lease_seconds=lease_seconds)


def test_arguments_of_a_wrong_shape_are_refused(queue: Queue) -> None:
    worker = queue.worker()
    with refused("PT400", "state must be an object"):
        worker.execute("select public.heartbeat_worker('w1', '[]')")
    with refused("PT400", "held an array"):
        worker.execute("select public.heartbeat_worker('w1', '{}', '{}')")
    with refused("PT413", "state is too large"):
        heartbeat(queue, note="x" * 8192)
    with refused("23514"):
        call(worker, "heartbeat_worker", worker_id="")


def test_heartbeats_rewrite_the_row_in_place(queue: Queue) -> None:
    worker = queue.worker()
    call(worker, "heartbeat_worker", worker_id="w1")
    query = "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'analysis_workers'"
    with worker.transaction():
        call(worker, "heartbeat_worker", worker_id="w1", state={"load": 3})
        assert worker.execute(query).fetchone() == (1, 1)
