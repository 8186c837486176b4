"""record_sync_analysis: an analysis that no worker made, written down as if one had."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.sql.factories import Queue, call, refused


@pytest.fixture
def queue(queue: Queue) -> Queue:
    queue.new_type("plain", flag_key="sofia", cache_ttl_seconds=3600)
    return queue


def record(queue: Queue, **more: Any) -> Any:
    arguments: dict[str, Any] = {
        "type": "plain",
        "input": {"a": 1},
        "result": {"b": 2},
        "usage": {"cost_micro_usd": 7},
        "seconds": 1.5,
        "idempotency_key": "k",
    }
    return call(queue.worker(), "record_sync_analysis", **(arguments | more))


def test_a_result_becomes_a_completed_job_with_one_attempt_and_its_cost(queue: Queue) -> None:
    user_id = queue.new_user()
    answer = record(queue, user_id=user_id)
    job = queue.job(answer["id"])
    assert answer == {"id": job["id"], "status": "completed", "cached": False, "result": {"b": 2}}
    assert (job["user_id"], job["type"], job["input"], job["attempt"]) == (str(user_id), "plain", {"a": 1}, 1)
    query = (
        "select worker_id, outcome, usage, extract(epoch from finished_at - started_at)::float8"
        " from public.analysis_attempts where job_id = %s"
    )
    rows = queue.owner.execute(query, [job["id"]]).fetchall()
    assert rows == [("analyze-sync", "completed", {"cost_micro_usd": 7}, 1.5)]
    assert call(queue.worker(), "get_spending", user_id=user_id)["user_micro_usd"] == 7


def test_the_user_sees_it_among_their_jobs(queue: Queue) -> None:
    user_id = queue.new_user()
    answer = record(queue, user_id=user_id)
    status = call(queue.user(user_id), "get_analysis_status", job_id=answer["id"])
    assert (status["status"], status["result"]) == ("completed", {"b": 2})


def test_the_same_key_is_the_same_job_and_never_another_input(queue: Queue) -> None:
    user_id = queue.new_user()
    first = record(queue, user_id=user_id)
    assert record(queue, user_id=user_id, result={"b": 3}) == first
    with refused("PT409", "idempotency key"):
        record(queue, user_id=user_id, input={"a": 2})
    assert len(queue.everything()) == 2


def test_it_never_answers_for_another_question_of_the_same(queue: Queue) -> None:
    user_id = queue.new_user()
    record(queue, user_id=user_id)
    asked = call(queue.user(user_id), "enqueue_analysis", type="plain", input={"a": 1})
    assert (asked["status"], asked["cached"]) == ("pending", False)


def test_it_counts_against_the_users_rate(queue: Queue) -> None:
    queue.new_type("rare", rate_limit=1)
    user_id = queue.new_user()
    record(queue, user_id=user_id, type="rare")
    with refused("PT429"):
        call(queue.user(user_id), "enqueue_analysis", type="rare", input={"a": 2})


def test_it_says_nothing_about_how_workers_do(queue: Queue) -> None:
    record(queue, user_id=queue.new_user())
    measured = queue.owner.execute("select attempts from private.measure_outcomes(now() - interval '1 hour')")
    assert measured.fetchone() == (0,)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"user_id": None}, "PT400"),
        ({"idempotency_key": None}, "PT400"),
        ({"seconds": -1}, "PT400"),
        ({"seconds": None}, "PT400"),
        ({"usage": {"cost_micro_usd": 0.5}}, "PT400"),
        ({"type": "nothing"}, "PT404"),
        ({"result": {"b": "x" * 600_000}}, "PT413"),
        ({"input": {"file": {"bucket": "analysis-inputs", "path": f"{uuid4()}/a.jpg"}}}, "PT403"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(queue: Queue, wrong: dict[str, Any], code: str) -> None:
    with refused(code):
        record(queue, **({"user_id": queue.new_user()} | wrong))
    assert queue.everything() == []
