"""claim_job under limits: how many jobs of a type, and of one user, run at the same time."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import ERROR, Queue, call, claim


def claim_next(queue: Queue, max_jobs: int = 10, worker: str = "w1", types: list[str] | None = None) -> list[Any]:
    return claim(queue.worker(), worker, uuid4(), types=types or ["echo"], max_jobs=max_jobs)


def new_jobs(queue: Queue, count: int, user_id: UUID | None = None, **columns: Any) -> None:
    for _ in range(count):
        queue.new_job(user_id=user_id or queue.new_user(), type="echo", **columns)


def complete(queue: Queue, job: Any) -> None:
    call(queue.worker(), "complete_job", job_id=job["id"], lease_id=job["lease_id"], result={})


def test_no_more_jobs_of_a_type_run_than_it_allows(queue: Queue) -> None:
    queue.new_type("echo", concurrency=3)
    new_jobs(queue, 10)
    first = claim_next(queue, 2)
    assert len(first) == 2
    assert len(claim_next(queue)) == 1
    assert claim_next(queue) == []
    complete(queue, first[0])
    assert len(claim_next(queue)) == 1


def test_no_more_jobs_of_a_user_run_than_its_type_allows(queue: Queue) -> None:
    queue.new_type("echo", concurrency_per_user=2)
    one, other = queue.new_user(), queue.new_user()
    new_jobs(queue, 5, one)
    new_jobs(queue, 1, other)
    claimed = claim_next(queue)
    assert sorted(job["user_id"] for job in claimed) == sorted([str(one), str(one), str(other)])
    assert claim_next(queue) == []
    complete(queue, next(job for job in claimed if job["user_id"] == str(one)))
    assert [job["user_id"] for job in claim_next(queue)] == [str(one)]


def test_jobs_without_a_user_share_the_limit_of_one_user(queue: Queue) -> None:
    queue.new_type("echo", concurrency_per_user=2)
    for _ in range(3):
        queue.new_job(type="echo")
    assert len(claim_next(queue)) == 2


def test_a_user_at_the_limit_of_one_type_may_run_others(queue: Queue) -> None:
    queue.new_type("echo", concurrency_per_user=1)
    user_id = queue.new_user()
    new_jobs(queue, 2, user_id)
    queue.new_job(user_id=user_id)
    assert len(claim_next(queue, types=["echo", "medical_exam"])) == 2


def test_both_limits_hold_together(queue: Queue) -> None:
    queue.new_type("echo", concurrency=3, concurrency_per_user=2)
    one, other = queue.new_user(), queue.new_user()
    new_jobs(queue, 10, one)
    new_jobs(queue, 10, other)
    users = [job["user_id"] for job in claim_next(queue)]
    assert len(users) == 3
    assert max(users.count(str(one)), users.count(str(other))) == 2


def test_a_user_at_the_limit_is_in_nobodys_way(queue: Queue) -> None:
    queue.new_type("echo", concurrency_per_user=1)
    one, other = queue.new_user(), queue.new_user()
    new_jobs(queue, 500, one)
    claim_next(queue)
    new_jobs(queue, 1, other)
    assert [job["user_id"] for job in claim_next(queue, 1)] == [str(other)]


@pytest.mark.parametrize("limit", ["concurrency", "concurrency_per_user"])
def test_jobs_of_a_dead_worker_fill_no_limit(queue: Queue, limit: str) -> None:
    queue.new_type("echo", **{limit: 2})
    new_jobs(queue, 5, queue.new_user())
    assert len(claim_next(queue, worker="w1")) == 2
    queue.silence("w1", seconds=60)
    assert len(claim_next(queue, worker="w2")) == 2
    assert claim_next(queue, worker="w3") == []


@pytest.mark.parametrize(("overdue", "claimed"), [(10, 0), (20, 2)])
@pytest.mark.parametrize("limit", ["concurrency", "concurrency_per_user"])
def test_jobs_past_their_deadline_and_grace_fill_no_limit(queue: Queue, limit: str, overdue: int, claimed: int) -> None:
    queue.new_type("echo", **{limit: 2})
    new_jobs(queue, 5, queue.new_user())
    claim_next(queue)
    overdue_since = (
        "update public.analysis_jobs set deadline_at = now() - make_interval(secs => %s) where lease_id is not null"
    )
    queue.owner.execute(overdue_since, [overdue])
    assert len(claim_next(queue)) == claimed


def test_a_limit_that_is_lowered_holds_for_what_was_claimable_before(queue: Queue) -> None:
    queue.new_type("echo")
    user_id, other = queue.new_user(), queue.new_user()
    for priority in range(4):
        new_jobs(queue, 1, user_id, priority=priority)
    new_jobs(queue, 1, other, priority=-1)
    queue.owner.execute("update public.analysis_types set concurrency_per_user = 1 where type = 'echo'")
    claimed = claim_next(queue)
    assert [(job["user_id"], job["priority"]) for job in claimed] == [(str(user_id), 3), (str(other), -1)]
    complete(queue, claimed[0])
    assert [job["priority"] for job in claim_next(queue)] == [2]


@pytest.mark.parametrize("limit", ["concurrency", "concurrency_per_user"])
def test_a_limit_that_is_raised_holds_at_once(queue: Queue, limit: str) -> None:
    queue.new_type("echo", **{limit: 1})
    new_jobs(queue, 5, queue.new_user())
    claim_next(queue)
    queue.owner.execute(f"update public.analysis_types set {limit} = 3 where type = 'echo'".encode())
    assert len(claim_next(queue)) == 2


def test_a_limited_type_leaves_the_rest_of_the_batch_to_others(queue: Queue) -> None:
    queue.new_type("echo", concurrency=1)
    new_jobs(queue, 5)
    for _ in range(5):
        queue.new_job(user_id=queue.new_user())
    types = [job["type"] for job in claim_next(queue, 4, types=["echo", "medical_exam"])]
    assert sorted(types) == ["echo", "medical_exam", "medical_exam", "medical_exam"]


@pytest.mark.parametrize(
    ("end", "more"),
    [
        ("fail_job", {"error": ERROR, "retryable": True, "delay_seconds": 60}),
        ("defer_job", {"delay_seconds": 60}),
        ("release_job", {}),
    ],
)
def test_every_end_of_an_attempt_makes_room(queue: Queue, end: str, more: dict[str, Any]) -> None:
    queue.new_type("echo", concurrency=1, concurrency_per_user=1)
    new_jobs(queue, 2, queue.new_user())
    (job,) = claim_next(queue)
    call(queue.worker(), end, job_id=job["id"], lease_id=job["lease_id"], **more)
    assert len(claim_next(queue)) == 1


def test_the_same_lease_again_is_answered_where_the_limit_is_full(queue: Queue) -> None:
    queue.new_type("echo", concurrency=1)
    new_jobs(queue, 2)
    lease_id = uuid4()
    first = claim(queue.worker(), "w1", lease_id, types=["echo"], max_jobs=5)
    assert claim(queue.worker(), "w1", lease_id, types=["echo"], max_jobs=5) == first
    assert len(first) == 1
