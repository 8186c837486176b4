"""reconcile_jobs puts the queue right, whatever put it wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tests.sql.factories import Queue, call, claim


def reconcile(queue: Queue) -> tuple[int, int, int]:
    answer = call(queue.worker(), "reconcile_jobs")
    return answer["queued"], answer["unqueued"], answer["admitted"]


def strand(queue: Queue, *jobs: UUID) -> None:
    """As if these had been left waiting with nothing in front of them."""
    queue.owner.execute("update public.analysis_queue set state = 'waiting' where job_id = any (%s)", [list(jobs)])


def state(queue: Queue, job_id: UUID) -> Any:
    return queue.owner.execute("select state from public.analysis_queue where job_id = %s", [job_id]).fetchone()


def test_a_pending_job_without_a_row_gets_one(queue: Queue) -> None:
    later = queue.new_job(scheduled_at="2999-01-01")
    now = queue.new_job()
    queue.owner.execute("delete from public.analysis_queue")
    assert claim(queue.worker(), "w1", uuid4()) == []
    assert reconcile(queue) == (2, 0, 0)
    assert (state(queue, later), state(queue, now)) == (("delayed",), ("claimable",))
    assert reconcile(queue) == (0, 0, 0)


def test_rows_of_jobs_that_are_not_pending_go(queue: Queue) -> None:
    running, lease_id = queue.new_claimed_job()
    ended, lease_of_ended = queue.new_claimed_job()
    call(queue.worker(), "complete_job", job_id=ended, lease_id=lease_of_ended, result={})
    queue.owner.execute(
        "insert into public.analysis_queue (job_id, type, user_id, state, position, priority)"
        " select id, type, gen_random_uuid(), 'claimable', '2026-01-01', 0 from public.analysis_jobs"
    )
    job_id = queue.new_job()
    (claimed,) = claim(queue.worker(), "w1", uuid4())
    assert claimed["id"] == str(job_id)
    assert reconcile(queue) == (0, 2, 0)
    assert queue.job(running)["lease_id"] == str(lease_id)


def test_a_job_that_returns_while_it_has_a_row_of_its_own_takes_a_new_place(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    queue.owner.execute(
        "insert into public.analysis_queue (job_id, type, user_id, state, position, priority)"
        " select id, type, gen_random_uuid(), 'delayed', '2999-01-01', 0 from public.analysis_jobs"
    )
    call(queue.worker(), "release_job", job_id=job_id, lease_id=lease_id)
    assert state(queue, job_id) == ("claimable",)


def test_users_who_were_left_waiting_move_up(queue: Queue) -> None:
    stranded = [queue.new_job(user_id=queue.new_user()) for _ in range(3)]
    user_id = queue.new_user()
    first, second = queue.new_job(user_id=user_id), queue.new_job(user_id=user_id)
    strand(queue, *stranded)
    assert reconcile(queue) == (0, 0, 3)
    assert {state(queue, job_id) for job_id in [*stranded, first]} == {("claimable",)}
    assert state(queue, second) == ("waiting",)


def test_a_user_at_the_limit_does_not_move_up(queue: Queue) -> None:
    queue.new_type("echo", concurrency_per_user=1)
    user_id = queue.new_user()
    queue.new_claimed_job(user_id=user_id, type="echo")
    waiting = queue.new_job(user_id=user_id, type="echo")
    assert reconcile(queue) == (0, 0, 0)
    assert state(queue, waiting) == ("waiting",)


def test_a_claim_that_would_come_back_short_finds_who_was_left_waiting(queue: Queue) -> None:
    stranded = [queue.new_job(user_id=queue.new_user()) for _ in range(3)]
    strand(queue, *stranded)
    assert len(claim(queue.worker(), "w1", uuid4(), max_jobs=10)) == 3


def test_delayed_jobs_that_are_due_take_their_place_without_a_claim(queue: Queue) -> None:
    job_id = queue.new_job(scheduled_at="2999-01-01")
    queue.owner.execute("update public.analysis_queue set position = now() - interval '1 s'")
    reconcile(queue)
    assert state(queue, job_id) == ("claimable",)


def test_a_long_queue_is_repaired_a_stretch_at_a_time(queue: Queue) -> None:
    queue.owner.execute(
        "insert into public.analysis_jobs (type, input) select 'medical_exam', '{}' from generate_series(1, 5000)"
    )
    queue.owner.execute("delete from public.analysis_queue")
    repaired = [reconcile(queue)[0]]
    while sum(repaired) < 5000:
        assert len(repaired) < 100
        repaired.append(reconcile(queue)[0])
    assert max(repaired) <= 2000
    assert sum(repaired) == 5000


def test_what_others_are_working_on_is_left_alone(queue: Queue) -> None:
    job_id = queue.new_job()
    queue.owner.execute("delete from public.analysis_queue")
    other, worker = queue.worker(), queue.worker()
    worker.execute("set statement_timeout = '5s'")
    with other.transaction():
        call(other, "cancel_analysis", job_id=job_id)
        assert call(worker, "reconcile_jobs")["queued"] == 0
    assert reconcile(queue) == (0, 0, 0)
    assert queue.job(job_id)["status"] == "cancelled"
