"""enqueue_analysis asked for what is under way already: one job, and every caller gets it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.sql.factories import ERROR, Queue, Session, call, claim, eventually


def enqueue(session: Session, **more: Any) -> Any:
    return call(session, "enqueue_analysis", **({"type": "plain", "input": {"a": 1}} | more))


def tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def test_the_same_input_returns_the_pending_job(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    first = enqueue(session)
    assert enqueue(session) == first | {"coalesced": True}
    assert len(queue.everything()) == 1


def test_the_same_input_returns_the_running_job(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    first = enqueue(session)
    claim(queue.worker(), "w1", uuid4(), types=["plain"])
    assert enqueue(session) == first | {"status": "processing", "coalesced": True}


def test_the_same_input_returns_the_job_that_waits_for_its_retry(queue: Queue) -> None:
    session, lease_id = queue.user(queue.new_user()), uuid4()
    first = enqueue(session)
    claim(queue.worker(), "w1", lease_id, types=["plain"])
    failure = {"job_id": first["id"], "lease_id": lease_id, "error": ERROR, "retryable": True, "delay_seconds": 60}
    call(queue.worker(), "fail_job", **failure)
    assert enqueue(session)["id"] == first["id"]


def test_a_job_that_has_ended_is_no_twin(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    first = enqueue(session)
    call(session, "cancel_analysis", job_id=first["id"])
    again = enqueue(session)
    assert again["id"] != first["id"]
    assert "coalesced" not in again


def test_another_input_type_or_user_is_another_job(queue: Queue) -> None:
    queue.new_type("echo")
    session, other = queue.user(queue.new_user()), queue.user(queue.new_user())
    answers = [enqueue(session), enqueue(session, input={"a": 2}), enqueue(session, type="echo"), enqueue(other)]
    assert len({answer["id"] for answer in answers}) == 4


def test_services_share_nothing_unasked(queue: Queue) -> None:
    worker = queue.worker()
    assert enqueue(worker)["id"] != enqueue(worker)["id"]


def test_a_job_for_later_answers_nobody_who_asks_for_now_and_the_other_way_round(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    answers = [enqueue(session, scheduled_at=tomorrow()), enqueue(session), enqueue(session, scheduled_at=tomorrow())]
    assert len({answer["id"] for answer in answers}) == 3
    assert enqueue(session)["id"] == answers[1]["id"]


def test_a_key_given_to_a_coalesced_call_is_remembered(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    first = enqueue(session)
    enqueue(session, idempotency_key="k")
    call(session, "cancel_analysis", job_id=first["id"])
    assert enqueue(session, idempotency_key="k") == first | {"status": "cancelled"}


def test_a_file_uploaded_anew_under_its_name_is_another_input(queue: Queue) -> None:
    user_id = queue.new_user()
    session = queue.user(user_id)
    wanted = {"files": [queue.new_file(f"{user_id}/exam.jpg")]}
    queue.owner.execute("update storage.objects set version = 'v1'")
    first = enqueue(session, input=wanted)
    assert enqueue(session, input=wanted)["id"] == first["id"]
    queue.owner.execute("update storage.objects set version = 'v2'")
    assert enqueue(session, input=wanted)["id"] != first["id"]


def test_a_file_without_a_version_counts_by_its_last_change(queue: Queue) -> None:
    user_id = queue.new_user()
    session = queue.user(user_id)
    wanted = {"files": [queue.new_file(f"{user_id}/exam.jpg")]}
    first = enqueue(session, input=wanted)
    assert enqueue(session, input=wanted)["id"] == first["id"]
    queue.owner.execute("update storage.objects set updated_at = updated_at + interval '1 second'")
    assert enqueue(session, input=wanted)["id"] != first["id"]


def test_eight_sessions_that_ask_for_the_same_at_once_get_one_job(queue: Queue) -> None:
    user_id = queue.new_user()

    def ask(session: Session) -> list[str]:
        return [enqueue(session, input={"n": n})["id"] for n in range(20)]

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(ask, [queue.user(user_id) for _ in range(8)]))
    assert all(answer == answers[0] for answer in answers)
    assert len(queue.everything()) == 20


def test_users_do_not_wait_for_each_other(queue: Queue) -> None:
    first, second = queue.user(queue.new_user()), queue.user(queue.new_user())
    with first.transaction():
        enqueue(first)
        second.execute("set lock_timeout = '2s'")
        enqueue(second)


def test_a_call_that_meets_its_twin_waits_for_it(queue: Queue) -> None:
    user_id = queue.new_user()
    first, second = queue.user(user_id), queue.user(user_id)
    with ThreadPoolExecutor() as pool:
        with first.transaction():
            answer = enqueue(first)
            twin = pool.submit(enqueue, second)
            eventually(lambda: queue.waits_for_lock(second))
        assert twin.result(timeout=10) == answer | {"coalesced": True}
