"""enqueue_analysis keeps users within the rate and the number of waiting jobs of a type."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.sql.factories import Queue, Session, call, claim, refused

_numbers = itertools.count()


def enqueue(session: Session, type: str = "limited", **more: Any) -> Any:
    """A job with an input of its own."""
    return call(session, "enqueue_analysis", type=type, input={"n": next(_numbers)}, **more)


def retry_after(detail: str) -> int:
    (seconds,) = json.loads(detail).values()
    assert json.loads(detail) == {"retry_after_seconds": seconds}
    assert isinstance(seconds, int)
    return seconds


def pass_time(queue: Queue, seconds: float) -> None:
    queue.owner.execute(
        "update public.analysis_jobs set created_at = created_at - make_interval(secs => %s)", [seconds]
    )


def test_a_user_may_enqueue_as_many_as_the_rate_allows_and_learns_when_to_come_back(queue: Queue) -> None:
    queue.new_type("limited", rate_limit=3, rate_window_seconds=100)
    session = queue.user(queue.new_user())
    enqueue(session)
    pass_time(queue, 40)
    enqueue(session)
    enqueue(session)
    with refused("PT429", "rate limit reached") as told:
        enqueue(session)
    assert 50 <= retry_after(told.detail) <= 60
    pass_time(queue, 60)
    enqueue(session)
    with refused("PT429"):
        enqueue(session)


def test_the_rate_counts_jobs_that_were_cancelled(queue: Queue) -> None:
    queue.new_type("limited", rate_limit=1)
    session = queue.user(queue.new_user())
    call(session, "cancel_analysis", job_id=enqueue(session)["id"])
    with refused("PT429"):
        enqueue(session)


def test_the_rate_is_of_one_user_and_one_type(queue: Queue) -> None:
    queue.new_type("limited", rate_limit=1)
    queue.new_type("other", rate_limit=1)
    session = queue.user(queue.new_user())
    enqueue(session)
    enqueue(session, type="other")
    enqueue(queue.user(queue.new_user()))


def test_services_have_no_limits(queue: Queue) -> None:
    queue.new_type("limited", rate_limit=1, max_pending_per_user=1)
    worker = queue.worker()
    assert enqueue(worker)["id"] != enqueue(worker)["id"]


def test_an_answer_that_makes_no_job_is_given_beyond_the_limits(queue: Queue) -> None:
    queue.new_type("limited", rate_limit=1, max_pending_per_user=1)
    session = queue.user(queue.new_user())
    asked = {"type": "limited", "input": {}, "idempotency_key": "k"}
    first = call(session, "enqueue_analysis", **asked)
    assert call(session, "enqueue_analysis", **asked) == first
    assert call(session, "enqueue_analysis", type="limited", input={})["id"] == first["id"]


def test_only_so_many_jobs_of_a_user_wait(queue: Queue) -> None:
    queue.new_type("limited", max_pending_per_user=2, timeout_seconds=45)
    session = queue.user(queue.new_user())
    enqueue(session)
    enqueue(session)
    with refused("PT429", "too many pending jobs") as told:
        enqueue(session)
    assert retry_after(told.detail) == 45
    claim(queue.worker(), "w1", uuid4(), types=["limited"])
    enqueue(session)


def test_a_refused_call_leaves_no_trace(queue: Queue) -> None:
    queue.new_type("limited", max_pending_per_user=1)
    session = queue.user(queue.new_user())
    enqueue(session)
    before = queue.everything()
    with refused("PT429"):
        enqueue(session, idempotency_key="k")
    assert queue.everything() == before
    keys = queue.owner.execute("select count(*) from public.analysis_idempotency_keys").fetchone()
    assert keys == (0,)


@pytest.mark.parametrize("policy", [{"rate_limit": 5}, {"max_pending_per_user": 5}])
def test_no_limit_is_exceeded_by_calls_at_the_same_time(queue: Queue, policy: dict[str, int]) -> None:
    queue.new_type("limited", **policy)
    user_id = queue.new_user()

    def ask(session: Session) -> int:
        accepted = 0
        for _ in range(5):
            try:
                enqueue(session)
            except psycopg.Error as error:
                if error.sqlstate != "PT429":
                    raise
            else:
                accepted += 1
        return accepted

    with ThreadPoolExecutor() as pool:
        accepted = list(pool.map(ask, [queue.user(user_id) for _ in range(8)]))
    assert sum(accepted) == 5
    assert len(queue.everything()) == 5
