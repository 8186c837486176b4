"""queue_stats: right numbers for rows that are known."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from maxnutrition.job_types import JOB_TYPES
from tests.sql.factories import ERROR, Queue, call, claim, refused

NO_TIMES = {"p50": None, "p95": None, "p99": None}
NOTHING = {
    "pending": 0,
    "claimable": 0,
    "waiting": 0,
    "delayed": 0,
    "oldest_claimable_seconds": None,
    "oldest_waiting_seconds": None,
    "running": 0,
    "enqueued_per_minute": 0,
    "ended_per_minute": 0,
    "cached_per_minute": 0,
    "attempts": 0,
    "error_rate": None,
    "wait_seconds": NO_TIMES,
    "run_seconds": NO_TIMES,
}
# n jobs that became due 30 minutes ago, waited 1 s, 2 s ... and ran 10 s, 20 s ..., each in one attempt.
HISTORY = """
with job as (
    insert into public.analysis_jobs (
        type, input, status, result, attempt, created_at, scheduled_at, started_at, finished_at
    )
    select
        %(type)s, '{}', 'completed', '{}', 1, due, due, due + make_interval(secs => n),
        due + make_interval(secs => n + 10 * n)
    from generate_series(1, %(jobs)s) as n, (select now() - interval '30 minutes') as moment (due)
    returning id, started_at, finished_at
)
insert into public.analysis_attempts (job_id, lease_id, attempt, worker_id, started_at, finished_at, outcome)
select id, gen_random_uuid(), 1, 'w1', started_at, finished_at, 'completed' from job
"""


def stats(queue: Queue, **arguments: Any) -> Any:
    return call(queue.worker(), "queue_stats", **arguments)


def of_type(queue: Queue, type: str = "echo", **arguments: Any) -> Any:
    return stats(queue, **arguments)["types"][type]


def test_an_empty_queue_has_nothing_to_measure(queue: Queue) -> None:
    answer = stats(queue)
    assert answer["at"]
    assert answer == NOTHING | {
        "at": answer["at"],
        "window_seconds": 3600,
        "workers_alive": 0,
        "types": {kind.name: NOTHING | {"paused": False} for kind in JOB_TYPES},
    }


def test_what_is_pending_is_told_apart(queue: Queue) -> None:
    queue.new_type("echo")
    queue.new_type("other", paused=True)
    user_id = queue.new_user()
    for _ in range(3):
        queue.new_job(type="echo", user_id=user_id)
    queue.new_job(type="echo", user_id=queue.new_user())
    delayed = queue.new_job(type="echo", user_id=queue.new_user())
    queue.owner.execute(
        "update public.analysis_jobs set scheduled_at = now() + interval '1 hour' where id = %s", [delayed]
    )
    queue.new_job(type="other")
    answer = stats(queue)
    echo, other = answer["types"]["echo"], answer["types"]["other"]
    assert (echo["pending"], echo["claimable"], echo["waiting"], echo["delayed"]) == (5, 2, 2, 1)
    assert (other["pending"], other["claimable"], other["paused"]) == (1, 1, True)
    assert (answer["pending"], answer["claimable"], answer["waiting"], answer["delayed"]) == (6, 3, 2, 1)


def test_a_delayed_job_that_is_due_counts_as_claimable(queue: Queue) -> None:
    queue.new_type("echo")
    queue.new_job(type="echo")
    queue.owner.execute("update public.analysis_queue set state = 'delayed', position = now() - interval '9 seconds'")
    echo = of_type(queue)
    assert (echo["claimable"], echo["delayed"]) == (1, 0)
    assert 9 <= echo["oldest_claimable_seconds"] < 60


@pytest.mark.parametrize("priority", [-3, 0, 7])
def test_the_oldest_is_told_without_what_its_priority_moved_it_by(queue: Queue, priority: int) -> None:
    queue.new_type("echo")
    user_id = queue.new_user()
    for age in (100, 50):
        statement = (
            "insert into public.analysis_jobs (type, user_id, input, priority, scheduled_at)"
            " values ('echo', %s, '{}', %s, now() - make_interval(secs => %s))"
        )
        queue.owner.execute(statement, [user_id, priority, age])
    echo = of_type(queue)
    assert 100 <= echo["oldest_claimable_seconds"] < 105
    assert 50 <= echo["oldest_waiting_seconds"] < 55


def test_times_of_known_attempts(queue: Queue) -> None:
    queue.new_type("echo")
    queue.owner.execute(HISTORY, {"type": "echo", "jobs": 100})
    echo = of_type(queue)
    assert echo["attempts"] == 100
    assert echo["wait_seconds"] == pytest.approx({"p50": 50.5, "p95": 95.05, "p99": 99.01})
    assert echo["run_seconds"] == pytest.approx({"p50": 505, "p95": 950.5, "p99": 990.1})
    assert echo["error_rate"] == 0


def test_types_are_measured_apart_and_together(queue: Queue) -> None:
    queue.new_type("echo")
    queue.new_type("other")
    queue.owner.execute(HISTORY, {"type": "echo", "jobs": 3})
    queue.owner.execute(HISTORY, {"type": "other", "jobs": 1})
    answer = stats(queue)
    assert [answer["types"][type]["run_seconds"]["p50"] for type in ("echo", "other")] == pytest.approx([20, 10])
    assert answer["run_seconds"]["p50"] == pytest.approx(15)
    assert [answer["types"][type]["ended_per_minute"] for type in ("echo", "other")] == pytest.approx([3 / 60, 1 / 60])
    assert answer["ended_per_minute"] == pytest.approx(4 / 60)
    assert answer["enqueued_per_minute"] == pytest.approx(4 / 60)


def test_what_was_before_the_window_does_not_count(queue: Queue) -> None:
    queue.new_type("echo")
    queue.owner.execute(HISTORY, {"type": "echo", "jobs": 3})
    assert of_type(queue, window_seconds=600) == NOTHING | {"paused": False}
    assert of_type(queue, window_seconds=3600)["attempts"] == 3


def test_jobs_in_flight_count_as_enqueued_and_as_running(queue: Queue) -> None:
    queue.new_type("echo")
    queue.new_claimed_job(type="echo")
    queue.new_job(type="echo")
    old = queue.new_job(type="echo")
    queue.owner.execute("update public.analysis_jobs set created_at = now() - interval '2 hours' where id = %s", [old])
    echo = of_type(queue)
    assert (echo["running"], echo["pending"], echo["attempts"]) == (1, 2, 1)
    assert echo["enqueued_per_minute"] == pytest.approx(2 / 60)
    assert echo["ended_per_minute"] == 0
    assert echo["error_rate"] is None


def test_the_error_rate_counts_attempts_that_ended_badly_among_those_that_ended(queue: Queue) -> None:
    queue.new_type("echo", max_attempts=9)
    worker = queue.worker()
    endings: list[tuple[str, dict[str, Any]]] = [
        ("complete_job", {"result": {}}),
        ("complete_job", {"result": {}}),
        ("complete_job", {"result": {}}),
        ("fail_job", {"error": ERROR, "retryable": True, "delay_seconds": 3600}),
        ("defer_job", {"delay_seconds": 3600}),
    ]
    for function, arguments in endings:
        job_id, lease_id = queue.new_claimed_job(type="echo")
        call(worker, function, job_id=job_id, lease_id=lease_id, **arguments)
    echo = of_type(queue)
    assert (echo["attempts"], echo["error_rate"]) == (5, 0.25)


def test_answers_from_the_cache_are_counted(queue: Queue) -> None:
    queue.new_type("echo", cache_ttl_seconds=60)
    session, worker, lease_id = queue.user(queue.new_user()), queue.worker(), uuid4()
    job_id = call(session, "enqueue_analysis", type="echo", input={})["id"]
    claim(worker, "w1", lease_id, types=["echo"])
    call(worker, "complete_job", job_id=job_id, lease_id=lease_id, result={})
    call(session, "enqueue_analysis", type="echo", input={})
    echo = of_type(queue)
    assert echo["cached_per_minute"] == pytest.approx(1 / 60)
    assert echo["ended_per_minute"] == pytest.approx(2 / 60)


def test_workers_count_while_they_live(queue: Queue) -> None:
    for worker in ("w1", "w2"):
        call(queue.worker(), "heartbeat_worker", worker_id=worker)
    queue.silence("w2", 60)
    assert stats(queue)["workers_alive"] == 1


@pytest.mark.parametrize("window", [None, 0, 604_801])
def test_a_senseless_window_is_refused(queue: Queue, window: int | None) -> None:
    with refused("PT400", "window_seconds"):
        stats(queue, window_seconds=window)


def test_it_runs_in_a_read_only_transaction(queue: Queue) -> None:
    worker = queue.worker()
    worker.execute("set default_transaction_read_only = on")
    assert call(worker, "queue_stats")["pending"] == 0
