"""enqueue_analysis under an idempotency key: one job, however often and from wherever it is asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from tests.sql.factories import Queue, Session, call, claim, eventually, refused


def enqueue(session: Session, key: str, **more: Any) -> Any:
    arguments = {"type": "plain", "input": {"a": 1}, "idempotency_key": key} | more
    return call(session, "enqueue_analysis", **arguments)


def test_the_same_key_and_input_return_the_same_job(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    first = enqueue(session, "k")
    assert enqueue(session, "k") == first
    assert len(queue.everything()) == 1


def test_a_job_that_is_completed_comes_with_its_result(queue: Queue) -> None:
    user_id = queue.new_user()
    first = enqueue(queue.user(user_id), "k")
    claim(queue.worker(), "w1", lease_id := uuid4(), types=["plain"])
    call(queue.worker(), "complete_job", job_id=first["id"], lease_id=lease_id, result={"x": 1})
    again = enqueue(queue.user(user_id), "k")
    assert again == {"id": first["id"], "status": "completed", "cached": False, "result": {"x": 1}}


def test_the_same_key_with_another_input_or_type_is_refused(queue: Queue) -> None:
    queue.new_type("echo")
    session = queue.user(queue.new_user())
    enqueue(session, "k")
    with refused("PT409", "idempotency key"):
        enqueue(session, "k", input={"a": 2})
    with refused("PT409", "idempotency key"):
        enqueue(session, "k", type="echo")


def test_a_key_belongs_to_its_user(queue: Queue) -> None:
    sessions = [queue.user(queue.new_user()), queue.user(queue.new_user()), queue.worker()]
    assert len({enqueue(session, "k")["id"] for session in sessions}) == 3


def test_services_share_their_keys(queue: Queue) -> None:
    assert enqueue(queue.worker(), "k") == enqueue(queue.worker(), "k")


def test_a_known_key_is_answered_though_the_type_is_paused_and_the_file_is_gone(queue: Queue) -> None:
    user_id = queue.new_user()
    session = queue.user(user_id)
    wanted = {"files": [queue.new_file(f"{user_id}/exam.jpg")]}
    first = enqueue(session, "k", input=wanted)
    queue.owner.execute("delete from storage.objects")
    queue.owner.execute("update public.analysis_types set paused = true")
    assert enqueue(session, "k", input=wanted) == first


def test_an_empty_or_long_key_is_refused(queue: Queue) -> None:
    for key in ("", "x" * 201):
        with refused("PT400", "idempotency key"):
            enqueue(queue.worker(), key)


def test_a_call_that_meets_its_own_twin_waits_and_returns_the_twins_job(queue: Queue) -> None:
    user_id = queue.new_user()
    first, second = queue.user(user_id), queue.user(user_id)
    with ThreadPoolExecutor() as pool:
        with first.transaction():
            answer = enqueue(first, "k")
            twin = pool.submit(enqueue, second, "k")
            eventually(lambda: queue.waits_for_lock(second))
        assert twin.result(timeout=10) == answer


def test_a_call_whose_twin_was_rolled_back_makes_the_job(queue: Queue) -> None:
    user_id = queue.new_user()
    first, second = queue.user(user_id), queue.user(user_id)
    with ThreadPoolExecutor() as pool:
        with first.transaction(force_rollback=True):
            answer = enqueue(first, "k")
            twin = pool.submit(enqueue, second, "k")
            eventually(lambda: queue.waits_for_lock(second))
        assert twin.result(timeout=10)["id"] != answer["id"]
    assert len(queue.everything()) == 1


def test_many_calls_at_once_make_one_job_per_key(queue: Queue) -> None:
    user_id = queue.new_user()

    def enqueue_all(session: Session) -> list[str]:
        return [enqueue(session, f"key {n}", input={"n": n})["id"] for n in range(20)]

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(enqueue_all, [queue.user(user_id) for _ in range(6)]))
    assert all(answer == answers[0] for answer in answers)
    assert len(queue.everything()) == 20
