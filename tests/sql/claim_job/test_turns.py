"""claim_job among many users: who is next, and how long anybody waits."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import ERROR, Queue, call, claim


def new_jobs(queue: Queue, user_id: UUID | None, count: int, type_name: str = "medical_exam") -> None:
    """Jobs of one user, enqueued at the same moment."""
    statement = (
        "insert into public.analysis_jobs (user_id, type, input)"
        " select %s, %s, jsonb_build_object('n', n) from generate_series(1, %s) as n"
    )
    queue.owner.execute(statement, [user_id, type_name, count])


def ago(queue: Queue, seconds: float, **columns: Any) -> UUID:
    """A job of a user of its own, enqueued so many seconds ago."""
    (when,) = queue.owner.execute("select now() - make_interval(secs => %s)", [seconds]).fetchone() or (None,)
    return queue.new_job(user_id=queue.new_user(), scheduled_at=when, **columns)


def users(jobs: list[Any]) -> list[str]:
    return [job["user_id"] for job in jobs]


def claim_next(queue: Queue, max_jobs: int = 1, types: list[str] | None = None) -> list[Any]:
    return claim(queue.worker(), "w1", uuid4(), types=types, max_jobs=max_jobs)


def claim_ids(queue: Queue, max_jobs: int = 1, types: list[str] | None = None) -> list[UUID]:
    return [UUID(job["id"]) for job in claim_next(queue, max_jobs, types)]


def test_users_take_turns(queue: Queue) -> None:
    one, other = queue.new_user(), queue.new_user()
    for user_id in (one, other):
        new_jobs(queue, user_id, 3)
    assert users([job for _ in range(6) for job in claim_next(queue)]) == [str(one), str(other)] * 3


def test_a_users_own_jobs_go_in_the_order_in_which_they_came(queue: Queue) -> None:
    new_jobs(queue, queue.new_user(), 30)
    assert [job["input"]["n"] for _ in range(15) for job in claim_next(queue)] == list(range(1, 16))
    assert sorted(job["input"]["n"] for job in claim_next(queue, 10)) == list(range(16, 26))


@pytest.mark.parametrize("already_claimed", [0, 7])
@pytest.mark.parametrize("max_jobs", [1, 10])
def test_ten_thousand_jobs_of_one_user_delay_anothers_by_one_claim_at_most(
    queue: Queue, max_jobs: int, already_claimed: int
) -> None:
    one, other = queue.new_user(), queue.new_user()
    new_jobs(queue, one, 10_000)
    for _ in range(already_claimed):
        assert set(users(claim_next(queue, max_jobs))) == {str(one)}
    queue.new_job(user_id=other)
    assert str(other) in users(claim_next(queue, max_jobs) + claim_next(queue, max_jobs))


def test_with_many_users_nobody_gets_far_ahead(queue: Queue) -> None:
    for _ in range(20):
        new_jobs(queue, queue.new_user(), 50)
    counts = Counter(users([job for _ in range(20) for job in claim_next(queue, 3)]))
    assert len(counts) == 20
    assert set(counts.values()) <= {2, 3, 4}


def test_one_users_backlog_is_claimed_in_full_batches(queue: Queue) -> None:
    new_jobs(queue, queue.new_user(), 25)
    assert [len(claim_next(queue, 10)) for _ in range(4)] == [10, 10, 5, 0]


def test_a_batch_is_shared_equally_among_those_who_want_more(queue: Queue) -> None:
    one, other = queue.new_user(), queue.new_user()
    new_jobs(queue, one, 100)
    new_jobs(queue, other, 100)
    assert Counter(users(claim_next(queue, 10))) == {str(one): 5, str(other): 5}


def test_what_some_do_not_need_the_others_get(queue: Queue) -> None:
    everybody = [queue.new_user() for _ in range(3)]
    for user_id, count in zip(everybody, (1, 3, 100), strict=True):
        new_jobs(queue, user_id, count)
    counts = Counter(users(claim_next(queue, 20)))
    assert [counts[str(user_id)] for user_id in everybody] == [1, 3, 16]


def test_a_level_of_priority_is_worth_ten_seconds(queue: Queue) -> None:
    low, normal, high = (ago(queue, 0, priority=priority) for priority in (-1, 0, 1))
    waited = ago(queue, 15, priority=-1)
    assert claim_ids(queue, 1) + claim_ids(queue, 3) == [high, waited, normal, low]


def test_a_low_priority_waits_its_ten_seconds_a_level_and_no_longer(queue: Queue) -> None:
    patient = ago(queue, 99, priority=-10)
    assert claim_ids(queue) == [patient]
    patient, newcomers = ago(queue, 99, priority=-10), [ago(queue, 0) for _ in range(5)]
    assert claim_ids(queue, 5) == newcomers
    queue.owner.execute("update public.analysis_queue set position = position - interval '2 s'")
    newcomers = [ago(queue, 0) for _ in range(5)]
    assert claim_ids(queue) == [patient]
    assert set(claim_ids(queue, 5)) == set(newcomers)


def test_an_urgent_job_goes_before_the_same_users_others(queue: Queue) -> None:
    user_id = queue.new_user()
    new_jobs(queue, user_id, 3)
    urgent = queue.new_job(user_id=user_id, priority=5)
    assert claim_ids(queue) == [urgent]


def test_a_flood_of_one_type_delays_no_other_type(queue: Queue) -> None:
    queue.new_type("echo")
    for _ in range(30):
        ago(queue, 1, type="echo")
    single = ago(queue, 0)
    for _ in range(30):
        ago(queue, 0, type="echo")
    assert single not in claim_ids(queue, 30, ["echo", "medical_exam"])
    assert single in claim_ids(queue, 1, ["echo", "medical_exam"])


def test_a_batch_takes_the_earliest_over_all_types(queue: Queue) -> None:
    queue.new_type("echo")
    order = [ago(queue, 60 - n, type=("echo", "medical_exam")[n % 2]) for n in range(20)]
    assert [claim_ids(queue, 4, ["echo", "medical_exam"]) for _ in range(5)] == [
        order[n : n + 4] for n in range(0, 20, 4)
    ]


def test_a_retry_and_a_deferral_queue_up_again_and_a_release_keeps_its_place(queue: Queue) -> None:
    first, second, third = (ago(queue, seconds) for seconds in (30, 20, 10))
    worker, lease_id = queue.worker(), uuid4()
    claim(worker, "w1", lease_id, max_jobs=3)
    call(worker, "fail_job", job_id=first, lease_id=lease_id, error=ERROR, retryable=True, delay_seconds=0)
    call(worker, "release_job", job_id=third, lease_id=lease_id)
    call(worker, "defer_job", job_id=second, lease_id=lease_id, delay_seconds=0)
    assert [claim_ids(queue) for _ in range(3)] == [[third], [first], [second]]


def test_jobs_that_become_due_together_take_turns(queue: Queue) -> None:
    one, other = queue.new_user(), queue.new_user()
    statement = (
        "insert into public.analysis_jobs (user_id, type, input, scheduled_at)"
        " select %s, 'medical_exam', '{}', now() + interval '1 hour' from generate_series(1, 300)"
    )
    queue.owner.execute(statement, [one])
    queue.owner.execute(statement.replace("300", "1").replace("1 hour", "61 minutes"), [other])
    assert claim_next(queue, 10) == []
    queue.owner.execute("update public.analysis_queue set position = position - interval '62 minutes'")
    assert users(claim_next(queue, 2)) == [str(one), str(other)]


def test_a_job_that_is_not_due_yet_holds_nobody_up(queue: Queue) -> None:
    for _ in range(50):
        ago(queue, -3600, priority=100)
    job_id = ago(queue, 0, priority=-100)
    assert claim_ids(queue, 5) == [job_id]
