"""The queue keeps step with the jobs, whoever writes them and however."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.sql.factories import ERROR, Queue, call, claim, refused


def states(queue: Queue, *jobs: UUID) -> list[Any]:
    """Where each of these jobs stands in the queue; None where it does not."""
    rows: dict[UUID, str] = dict(queue.owner.execute("select job_id, state from public.analysis_queue").fetchall())
    return [rows.get(job) for job in jobs]


def two_jobs(queue: Queue, **columns: Any) -> tuple[UUID, UUID, UUID]:
    """A user, a claimable job of that user, and one that waits behind it."""
    user_id = queue.new_user()
    first, second = (queue.new_job(user_id=user_id, **columns) for _ in range(2))
    assert states(queue, first, second) == ["claimable", "waiting"]
    return user_id, first, second


def test_one_job_of_a_user_is_claimable_and_the_others_wait(queue: Queue) -> None:
    _, *jobs = two_jobs(queue)
    _, *others = two_jobs(queue)
    assert states(queue, *jobs, *others) == ["claimable", "waiting"] * 2


def test_jobs_without_a_user_take_turns_like_those_of_one(queue: Queue) -> None:
    assert states(queue, queue.new_job(), queue.new_job()) == ["claimable", "waiting"]


def test_users_take_turns_in_each_type_apart(queue: Queue) -> None:
    queue.new_type("echo")
    user_id, *_ = two_jobs(queue)
    assert states(queue, queue.new_job(user_id=user_id, type="echo")) == ["claimable"]


def test_a_job_for_later_is_delayed_and_in_nobodys_way(queue: Queue) -> None:
    user_id = queue.new_user()
    later = queue.new_job(user_id=user_id, scheduled_at="2999-01-01")
    assert states(queue, later, queue.new_job(user_id=user_id)) == ["delayed", "claimable"]


def test_a_job_that_was_not_pending_from_the_start_is_not_queued(queue: Queue) -> None:
    assert states(queue, queue.new_job(status="cancelled", finished_at="2026-01-01")) == [None]


def test_a_job_that_is_cancelled_by_hand_leaves_its_place_to_the_next(queue: Queue) -> None:
    _, first, second = two_jobs(queue)
    statement = "update public.analysis_jobs set status = 'cancelled', finished_at = now() where id = %s"
    queue.worker().execute(statement, [first])
    assert states(queue, first, second) == [None, "claimable"]


def test_a_job_that_is_put_off_by_hand_leaves_its_place_to_the_next(queue: Queue) -> None:
    _, first, second = two_jobs(queue)
    queue.worker().execute("update public.analysis_jobs set scheduled_at = '2999-01-01' where id = %s", [first])
    assert states(queue, first, second) == ["delayed", "claimable"]


def test_a_job_that_is_put_forward_by_hand_is_due_at_once(queue: Queue) -> None:
    job_id = queue.new_job(scheduled_at="2999-01-01")
    queue.worker().execute("update public.analysis_jobs set scheduled_at = now() where id = %s", [job_id])
    assert states(queue, job_id) == ["claimable"]


@pytest.mark.parametrize("priority", [-5, 5])
def test_a_job_whose_priority_is_changed_by_hand_stays_claimable(queue: Queue, priority: int) -> None:
    job_id = queue.new_job()
    queue.worker().execute("update public.analysis_jobs set priority = %s where id = %s", [priority, job_id])
    assert states(queue, job_id) == ["claimable"]


def test_deleted_jobs_and_those_of_deleted_users_leave_the_queue(queue: Queue) -> None:
    user_id, _, second = two_jobs(queue)
    queue.owner.execute("delete from public.analysis_jobs where id = %s", [second])
    queue.owner.execute("delete from auth.users where id = %s", [user_id])
    assert queue.owner.execute("select count(*) from public.analysis_queue").fetchone() == (0,)


def test_what_waits_behind_a_deleted_job_is_claimed(queue: Queue) -> None:
    _, first, second = two_jobs(queue)
    queue.owner.execute("delete from public.analysis_jobs where id = %s", [first])
    (claimed,) = claim(queue.worker(), "w1", UUID(int=1))
    assert claimed["id"] == str(second)


def test_a_claim_lets_the_users_next_job_move_up(queue: Queue) -> None:
    _, first, second = two_jobs(queue)
    claim(queue.worker(), "w1", UUID(int=1))
    assert states(queue, first, second) == [None, "claimable"]


def test_a_cancel_lets_the_users_next_job_move_up(queue: Queue) -> None:
    user_id, first, second = two_jobs(queue)
    call(queue.user(user_id), "cancel_analysis", job_id=first)
    assert states(queue, first, second) == [None, "claimable"]


ENDS: dict[str, dict[str, Any]] = {
    "complete_job": {"result": {}},
    "fail_job": {"error": ERROR, "retryable": False},
    "defer_job": {"delay_seconds": 60},
}


@pytest.mark.parametrize("end", [*ENDS, "cancel_analysis", "rescue", "expiry", "deregister_worker"])
def test_the_end_of_a_job_lets_the_next_move_up_where_the_user_may_run_one(queue: Queue, end: str) -> None:
    queue.new_type("echo", concurrency_per_user=1, max_attempts=1)
    user_id, worker = queue.new_user(), queue.worker()
    running, lease_id = queue.new_claimed_job(user_id=user_id, type="echo", max_attempts=1)
    waiting = queue.new_job(user_id=user_id, type="echo")
    assert states(queue, waiting) == ["waiting"]
    match end:
        case "rescue":
            queue.silence("w1", 60)
            call(worker, "reconcile_jobs")
        case "expiry":
            queue.owner.execute(
                "update public.analysis_jobs set deadline_at = now() - interval '60 s' where id = %s", [running]
            )
            call(worker, "reconcile_jobs")
        case "deregister_worker":
            queue.owner.execute("update public.analysis_jobs set priority = -1 where id = %s", [waiting])
            call(worker, end, worker_id="w1")
            # The released job has the better place, and is the one that moves up.
            assert states(queue, running) == ["claimable"]
            return
        case "cancel_analysis":
            call(worker, end, job_id=running)
        case _:
            call(worker, end, job_id=running, lease_id=lease_id, **ENDS[end])
    assert states(queue, waiting) == ["claimable"]


def test_there_is_no_place_without_a_job(queue: Queue) -> None:
    with refused("23503"):
        queue.owner.execute(
            "insert into public.analysis_queue (job_id, type, user_id, state, position, priority)"
            " values (gen_random_uuid(), 'medical_exam', gen_random_uuid(), 'claimable', now(), 0)"
        )
