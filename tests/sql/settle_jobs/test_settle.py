"""settle_jobs: many outcomes in one call, each as if it had come by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.sql.factories import ERROR, Queue, call, claim, refused

SINGLES: dict[str, tuple[str, dict[str, Any]]] = {
    "completed": ("complete_job", {"result": {"x": 1}, "usage": {"tokens": 3}}),
    "failed": ("fail_job", {"error": ERROR | {"trace": "t"}, "retryable": True, "delay_seconds": 30, "usage": None}),
    "failed for good": ("fail_job", {"error": ERROR, "retryable": False}),
    "deferred": ("defer_job", {"delay_seconds": 60, "reason": "busy", "usage": {"tokens": 1}}),
    "released": ("release_job", {}),
}
NOT_YET = {"started_at", "finished_at", "scheduled_at", "created_at", "id", "job_id", "lease_id"}


def settlement(kind: str, job_id: Any, lease_id: Any, **more: Any) -> dict[str, Any]:
    _, arguments = SINGLES[kind]
    return {"job_id": str(job_id), "lease_id": str(lease_id), "outcome": kind.split(maxsplit=1)[0], **arguments, **more}


def settle(queue: Queue, *settlements: Any) -> Any:
    return call(queue.worker(), "settle_jobs", settlements=Jsonb(list(settlements)))


def claimed(queue: Queue, number: int, **columns: Any) -> list[tuple[str, UUID]]:
    """Jobs under one lease."""
    for _ in range(number):
        queue.new_job(**columns)
    lease_id = uuid4()
    jobs = claim(queue.worker(), "w1", lease_id, types=[columns.get("type", "medical_exam")], max_jobs=number)
    assert len(jobs) == number
    return [(job["id"], lease_id) for job in jobs]


def stored(queue: Queue, job_id: Any, lease_id: Any) -> list[dict[str, Any]]:
    rows = queue.job(job_id), queue.attempt(job_id, lease_id)
    return [{name: value for name, value in row.items() if name not in NOT_YET} for row in rows]


def without_time(answer: dict[str, Any]) -> dict[str, Any]:
    retry = answer["retry_in_seconds"]
    return answer | {"retry_in_seconds": retry if retry is None else round(retry)}


@pytest.mark.parametrize("kind", SINGLES)
def test_a_batch_stores_and_answers_what_its_function_does(queue: Queue, kind: str) -> None:
    function, arguments = SINGLES[kind]
    one, other = queue.new_claimed_job(), queue.new_claimed_job()
    alone = call(queue.worker(), function, job_id=one[0], lease_id=one[1], **arguments)
    (batched,) = settle(queue, settlement(kind, *other))
    assert without_time(batched) == without_time(alone)
    assert stored(queue, *other) == stored(queue, *one)


def test_outcomes_of_all_kinds_are_answered_in_their_order(queue: Queue) -> None:
    jobs = claimed(queue, len(SINGLES))
    answers = settle(queue, *(settlement(kind, *job) for kind, job in zip(SINGLES, jobs, strict=True)))
    assert [answer["outcome"] for answer in answers] == [kind.split(maxsplit=1)[0] for kind in SINGLES]
    statuses = ["completed", "pending", "failed", "pending", "pending"]
    assert [answer["status"] for answer in answers] == statuses
    assert [queue.job(job_id)["status"] for job_id, _ in jobs] == statuses


def test_a_repetition_is_answered_alike_and_changes_nothing(queue: Queue) -> None:
    batch = [settlement("completed", *job) for job in claimed(queue, 3)]
    first = settle(queue, *batch)
    before = queue.everything()
    assert settle(queue, *reversed(batch)) == first[::-1]
    assert queue.everything() == before


def test_of_two_settlements_of_one_job_in_a_batch_the_first_counts(queue: Queue) -> None:
    ((job_id, lease_id),) = claimed(queue, 1)
    answers = settle(queue, settlement("failed for good", job_id, lease_id), settlement("completed", job_id, lease_id))
    assert [answer["outcome"] for answer in answers] == ["failed", "failed"]
    assert queue.job(job_id)["status"] == "failed"


def test_a_lost_lease_changes_nothing_and_says_so_and_the_others_are_settled(queue: Queue) -> None:
    (cancelled, kept, strange) = claimed(queue, 3)
    call(queue.worker(), "cancel_analysis", job_id=cancelled[0])
    gone = (uuid4(), uuid4())
    jobs = [cancelled, kept, (strange[0], uuid4()), gone]
    answers = settle(queue, *(settlement("completed", *job) for job in jobs))
    assert [(answer["status"], answer["lease"], answer["settled"]) for answer in answers] == [
        ("cancelled", "lost", False),
        ("completed", "held", True),
        ("processing", "lost", False),
        (None, "lost", False),
    ]
    assert queue.job(strange[0])["status"] == "processing"


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        ({"job_id": "x"}, "PT400", "UUIDs"),
        ({"lease_id": None}, "PT400", "UUIDs"),
        ({"outcome": "lost"}, "PT400", "outcome"),
        ({"outcome": None}, "PT400", "outcome"),
        ({"result": None}, "PT400", "result is required"),
        ({"result": "x" * 524_287}, "PT413", "result is too large"),
        ({"usage": []}, "PT400", "usage"),
        ({"usage": {"a": "x" * 8192}}, "PT413", "usage is too large"),
        ({"usage": {"cost_micro_usd": 0.5}}, "PT400", "cost_micro_usd"),
        ({"outcome": "failed", "retryable": True}, "PT400", "error"),
        ({"outcome": "failed", "error": ERROR}, "PT400", "retryable"),
        ({"outcome": "failed", "error": ERROR, "retryable": "yes"}, "PT400", "retryable"),
        ({"outcome": "deferred"}, "PT400", "delay_seconds"),
        ({"outcome": "deferred", "delay_seconds": "soon"}, "PT400", "delay_seconds"),
        ({"retryable": "junk"}, "PT400", "retryable"),
        ({"delay_seconds": []}, "PT400", "delay_seconds"),
    ],
)
def test_a_mistake_is_refused_by_itself_and_undoes_nothing(queue: Queue, wrong: Any, code: str, message: str) -> None:
    first, second, third = claimed(queue, 3)
    mistake = settlement("completed", *second) | wrong
    answers = settle(queue, settlement("completed", *first), mistake, settlement("released", *third))
    assert [answers[0]["outcome"], answers[2]["outcome"]] == ["completed", "released"]
    assert answers[1].keys() == {"refused"}
    assert answers[1]["refused"]["code"] == code
    assert message in answers[1]["refused"]["message"]
    assert queue.job(second[0])["status"] == "processing"


@pytest.mark.parametrize("settlements", [None, {}, [], [{}] * 201])
def test_what_is_no_list_of_1_to_200_is_refused_as_a_whole(queue: Queue, settlements: Any) -> None:
    with refused("PT400", "settlements must be"):
        call(queue.worker(), "settle_jobs", settlements=Jsonb(settlements))


def test_a_batch_may_hold_only_mistakes(queue: Queue) -> None:
    mistakes: list[Any] = [{}, None, 7, "x", [[]]] * 40
    assert [answer["refused"]["code"] for answer in settle(queue, *mistakes)] == ["PT400"] * 200


def test_jobs_of_one_key_that_end_together_leave_one_result(queue: Queue) -> None:
    queue.new_type("kept", cache_ttl_seconds=60)
    keys = [letter * 64 for letter in "abab"]
    jobs = [queue.new_claimed_job(type="kept", cache_key=key) for key in keys]
    settle(queue, *(settlement("completed", *job) for job in jobs))
    rows = queue.owner.execute("select cache_key, hits from public.analysis_cache order by 1").fetchall()
    assert rows == [("a" * 64, 0), ("b" * 64, 0)]


def test_the_next_jobs_of_users_whose_jobs_end_together_may_be_claimed(queue: Queue) -> None:
    queue.new_type("each", concurrency_per_user=1)
    users = [queue.new_user() for _ in range(3)]
    for user_id in users * 2:
        queue.new_job(type="each", user_id=user_id)
    lease_id = uuid4()
    first = claim(queue.worker(), "w1", lease_id, types=["each"], max_jobs=10)
    assert len(first) == len(users)
    settle(queue, *(settlement("completed", job["id"], lease_id) for job in first))
    states = queue.owner.execute("select distinct state from public.analysis_queue").fetchall()
    assert states == [("claimable",)]
    assert len(claim(queue.worker(), "w1", uuid4(), types=["each"], max_jobs=10)) == len(users)


@pytest.mark.parametrize("kind", SINGLES)
@pytest.mark.parametrize(
    ("limits", "has_next"), [({}, False), ({"concurrency": 1}, True), ({"concurrency_per_user": 1}, True)]
)
def test_a_limit_that_has_room_again_is_told(queue: Queue, kind: str, limits: dict[str, int], has_next: bool) -> None:
    queue.new_type("echo", **limits)
    (held,) = claimed(queue, 1, type="echo")
    queue.new_job(type="echo")
    first, again = (settle(queue, settlement(kind, *held))[0] for _ in range(2))
    assert (first.get("has_next", False), again.get("has_next", False)) == (has_next, False)


def test_a_limit_with_room_for_nobody_is_not_told(queue: Queue) -> None:
    queue.new_type("echo", concurrency=1)
    (held,) = claimed(queue, 1, type="echo")
    queue.new_job()
    assert "has_next" not in settle(queue, settlement("completed", *held))[0]
