"""get_spending: what attempts said they cost, since midnight UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.sql.factories import ERROR, Queue, call


def spend(queue: Queue, user_id: UUID | None, function: str, micro_usd: int, **arguments: Any) -> UUID:
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    usage = {"cost_micro_usd": micro_usd}
    call(queue.worker(), function, job_id=job_id, lease_id=lease_id, usage=usage, **arguments)
    return job_id


def test_what_everybody_and_one_user_spent_is_told_apart(queue: Queue) -> None:
    one, other = queue.new_user(), queue.new_user()
    spend(queue, one, "complete_job", 100, result={})
    spend(queue, one, "fail_job", 20, error=ERROR, retryable=False)
    spend(queue, one, "defer_job", 3, delay_seconds=60)
    spend(queue, other, "complete_job", 4000, result={})
    spend(queue, None, "complete_job", 50_000, result={})
    spent = call(queue.worker(), "get_spending", user_id=one)
    assert (spent["total_micro_usd"], spent["user_micro_usd"]) == (54_123, 123)


def test_nothing_is_zero_and_the_day_ends_at_midnight_utc(queue: Queue) -> None:
    spent = call(queue.worker(), "get_spending")
    assert (spent["total_micro_usd"], spent["user_micro_usd"]) == (0, 0)
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert spent["resets_in_seconds"] % 86_400 == pytest.approx((midnight - now).total_seconds() % 86_400, abs=5)


def test_yesterday_does_not_count(queue: Queue) -> None:
    job_id = spend(queue, queue.new_user(), "complete_job", 100, result={})
    queue.owner.execute(
        "update public.analysis_attempts set started_at = date_trunc('day', now(), 'UTC') - interval '1 second'"
        " where job_id = %s",
        [job_id],
    )
    assert call(queue.worker(), "get_spending")["total_micro_usd"] == 0
