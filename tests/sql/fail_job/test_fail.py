"""fail_job: another attempt or the end, decided by the queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.sql.factories import ERROR, Queue, call, claim, refused


def fail(queue: Queue, job_id: UUID, lease_id: UUID, **more: Any) -> Any:
    arguments = {"error": ERROR, "retryable": True} | more
    return call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, **arguments)


def seconds_until_due(queue: Queue, job_id: UUID) -> float:
    query = (
        "select extract(epoch from scheduled_at - clock_timestamp())::float8 from public.analysis_jobs where id = %s"
    )
    row = queue.owner.execute(query, [job_id]).fetchone()
    assert row is not None
    return float(row[0])


def test_a_retryable_failure_with_attempts_left_waits_for_the_next(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    answer = fail(queue, job_id, lease_id, delay_seconds=30)
    assert (answer["status"], answer["lease"], answer["settled"], answer["outcome"]) == (
        "pending",
        "held",
        True,
        "failed",
    )
    assert 29 < answer["retry_in_seconds"] <= 30
    job = queue.job(job_id)
    assert (job["status"], job["attempt"], job["error"], job["lease_id"]) == ("pending", 1, None, None)
    assert 28 < seconds_until_due(queue, job_id) <= 30


def test_a_failure_that_is_not_retryable_ends_the_job(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    answer = fail(queue, job_id, lease_id, retryable=False, delay_seconds=30)
    assert (answer["status"], answer["settled"], answer["retry_in_seconds"]) == ("failed", True, None)
    job = queue.job(job_id)
    assert job["error"] == {"code": "broken", "message": "It broke.", "retryable": False}
    assert job["finished_at"] is not None


def test_the_last_attempt_ends_the_job(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job(max_attempts=2)
    assert fail(queue, job_id, lease_id, delay_seconds=0)["status"] == "pending"
    (claimed,) = claim(queue.worker(), "w1", UUID(int=2))
    assert fail(queue, job_id, UUID(claimed["lease_id"]))["status"] == "failed"
    job = queue.job(job_id)
    assert (job["attempt"], job["error"]["code"], job["error"]["retryable"]) == (2, "broken", True)


def test_users_see_code_and_message_and_the_attempt_keeps_all_of_the_error(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    error = ERROR | {"provider": "acme", "trace": "secret"}
    fail(queue, job_id, lease_id, error=error, retryable=False, usage={"tokens": 3})
    assert set(queue.job(job_id)["error"]) == {"code", "message", "retryable"}
    attempt = queue.attempt(job_id, lease_id)
    assert attempt["error"] == error | {"retryable": False}
    assert (attempt["outcome"], attempt["usage"]) == ("failed", {"tokens": 3})


@pytest.mark.parametrize("attempt", [1, 3, 50])
def test_without_a_proposal_the_delay_is_jittered_below_an_exponential_cap(queue: Queue, attempt: int) -> None:
    rows = queue.owner.execute(
        "select extract(epoch from private.retry_delay(%s, null))::float8 from generate_series(1, 200)", [attempt]
    ).fetchall()
    delays = [delay for (delay,) in rows]
    cap = min(300, 2**attempt)
    assert 0 <= min(delays) < 0.2 * cap
    assert 0.8 * cap < max(delays) <= cap
    assert len(set(delays)) > 100


def test_a_failure_without_a_proposal_waits_below_the_cap_of_its_attempt(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    assert 0 <= fail(queue, job_id, lease_id)["retry_in_seconds"] <= 2


@pytest.mark.parametrize(("proposed", "waits"), [(-5, 0), (0, 0), (10, 10), (1e-300, 0), (1e9, 86400)])
def test_a_proposed_delay_is_kept_between_nothing_and_a_day(queue: Queue, proposed: Any, waits: float) -> None:
    job_id, lease_id = queue.new_claimed_job()
    fail(queue, job_id, lease_id, delay_seconds=proposed)
    assert waits - 5 < seconds_until_due(queue, job_id) <= waits


@pytest.mark.parametrize("proposed", ["NaN", "Infinity"])
def test_a_proposed_delay_that_is_no_number_is_refused(queue: Queue, proposed: str) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused("PT400", "delay_seconds must be a number"):
        fail(queue, job_id, lease_id, delay_seconds=proposed)
    assert queue.job(job_id)["status"] == "processing"


def test_a_repetition_is_answered_alike_and_changes_nothing(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    first = fail(queue, job_id, lease_id, retryable=False)
    before = queue.everything()
    assert fail(queue, job_id, lease_id, retryable=True) == first
    assert queue.everything() == before


def test_a_repetition_after_the_next_claim_does_not_touch_that_attempt(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    fail(queue, job_id, lease_id, delay_seconds=0)
    claim(queue.worker(), "w2", UUID(int=2))
    before = queue.everything()
    answer = fail(queue, job_id, lease_id, delay_seconds=0)
    assert (answer["status"], answer["settled"], answer["lease"]) == ("processing", True, "held")
    assert queue.everything() == before


def test_a_huge_error_is_cut_and_not_refused(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    error = {"code": "c" * 1000, "message": "m" * 100_000, "provider": "acme", "trace": "t" * 100_000}
    fail(queue, job_id, lease_id, error=error, retryable=False)
    shown = queue.job(job_id)["error"]
    assert (len(shown["code"]), len(shown["message"])) == (100, 2000)
    assert queue.attempt(job_id, lease_id)["error"] == shown | {"provider": "acme"}


@pytest.mark.parametrize(
    "error", [{}, {"code": "x"}, {"code": 1, "message": "m"}, {"code": "x", "message": None}, None]
)
def test_an_error_without_code_and_message_is_refused(queue: Queue, error: Any) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused("PT400", "code and a message"):
        fail(queue, job_id, lease_id, error=error)
    assert queue.job(job_id)["status"] == "processing"


def test_a_failure_that_does_not_say_whether_it_is_retryable_is_refused(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    with refused("PT400", "retryable"):
        fail(queue, job_id, lease_id, retryable=None)
