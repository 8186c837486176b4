"""What the past hours and days were like: counts by time, errors by code, usage by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.sql.factories import Queue, call, refused


def ended_job(queue: Queue, minutes_ago: float, outcome: str = "completed", **attempt: Any) -> str:
    """Enqueued a minute before it ended, so long ago; its attempt ran for 30 s."""
    job_id, lease_id = queue.new_claimed_job(type="echo")
    lease = {"job_id": job_id, "lease_id": lease_id}
    usage = {"usage": attempt["usage"]} if "usage" in attempt else {}
    if outcome == "completed":
        call(queue.worker(), "complete_job", **lease, result={}, **usage)
    else:
        error = {"code": attempt.get("code", "broken"), "message": "It broke."}
        call(queue.worker(), "fail_job", **lease, error=error, retryable=False, **usage)
    end = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    queue.owner.execute(
        "update public.analysis_jobs set created_at = %s, finished_at = %s where id = %s",
        [end - timedelta(minutes=1), end, job_id],
    )
    queue.owner.execute(
        "update public.analysis_attempts set started_at = %s, finished_at = %s where job_id = %s",
        [end - timedelta(seconds=30), end, job_id],
    )
    return str(job_id)


@pytest.fixture(autouse=True)
def echo(queue: Queue) -> None:
    queue.new_type("echo")


def test_history_counts_each_job_once_where_it_came_and_where_it_went(queue: Queue) -> None:
    for minutes_ago, outcome in [(5, "completed"), (5, "failed"), (25, "completed"), (500, "completed")]:
        ended_job(queue, minutes_ago, outcome)
    call(queue.worker(), "cancel_job", job_id=queue.new_job(type="echo"))
    queue.new_job(type="echo")
    history = call(queue.worker(), "describe_history", window_seconds=3600, buckets=60)
    assert history["step_seconds"] == 60
    buckets = history["buckets"]
    assert len(buckets) == 60
    totals = {
        name: sum(bucket[name] for bucket in buckets) for name in ("enqueued", "completed", "failed", "cancelled")
    }
    assert totals == {"enqueued": 5, "completed": 2, "failed": 1, "cancelled": 1}
    assert {bucket["run_seconds_p95"] for bucket in buckets} == {None, 30}
    moments = [datetime.fromisoformat(bucket["at"]) for bucket in buckets]
    assert moments[-1] <= datetime.now(UTC) < moments[-1] + timedelta(minutes=2)
    assert {(later - earlier).total_seconds() for earlier, later in pairwise(moments)} == {60}


def test_errors_are_counted_by_type_outcome_and_code(queue: Queue) -> None:
    first = ended_job(queue, 10, "failed")
    last = ended_job(queue, 5, "failed")
    ended_job(queue, 5, "failed", code="slow")
    ended_job(queue, 5)
    ended_job(queue, 5000, "failed")
    errors = call(queue.worker(), "describe_errors", window_seconds=3600)
    assert [(error["code"], error["attempts"], error["jobs"]) for error in errors] == [("broken", 2, 2), ("slow", 1, 1)]
    assert first != last == errors[0]["job_id"]
    assert (errors[0]["type"], errors[0]["outcome"], errors[0]["message"]) == ("echo", "failed", "It broke.")


def test_a_lost_attempt_has_a_name_for_its_error(queue: Queue) -> None:
    queue.new_claimed_job(type="echo")
    call(queue.worker(), "heartbeat_worker", worker_id="w1")
    queue.silence("w1", 3600)
    call(queue.worker(), "reconcile_jobs")
    (error,) = call(queue.worker(), "describe_errors")
    assert error["outcome"] == "lost"
    assert error["code"]


def test_usage_is_added_up_by_day_and_type_failed_attempts_included(queue: Queue) -> None:
    usage = {"input_tokens": 100, "output_tokens": 10, "cost_micro_usd": 7}
    ended_job(queue, 1, usage=usage)
    ended_job(queue, 1, "failed", usage=usage)
    ended_job(queue, 1, usage={"model": "local", "input_tokens": "many"})
    ended_job(queue, 1)
    ended_job(queue, 1440 * 3, usage=usage)
    days = call(queue.worker(), "describe_usage", days=31)
    assert sum(day["attempts"] for day in days) == 4
    assert sum(day["cost_micro_usd"] for day in days) == 21
    assert {day["type"] for day in days} == {"echo"}
    oldest = (datetime.now(UTC) - timedelta(days=3, seconds=90)).date().isoformat()
    assert days[0] == {"day": oldest, "type": "echo", "attempts": 1, **usage}


def test_nothing_is_an_empty_list(queue: Queue) -> None:
    assert call(queue.worker(), "describe_errors") == call(queue.worker(), "describe_usage") == []


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("describe_history", {"window_seconds": 59}),
        ("describe_history", {"buckets": 201}),
        ("describe_errors", {"window_seconds": 0}),
        ("describe_usage", {"days": 32}),
    ],
)
def test_a_call_is_bounded(queue: Queue, function: str, arguments: dict[str, int]) -> None:
    with refused("PT400", next(iter(arguments))):
        call(queue.worker(), function, **arguments)
