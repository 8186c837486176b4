"""enqueue_analysis asked for what was answered before: a completed job at once, where the type allows it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import ERROR, Queue, Session, call, claim

RESULT = {"x": 1}


def enqueue(session: Session, type: str = "cached", input: Any = None, **more: Any) -> Any:
    return call(session, "enqueue_analysis", type=type, input={"a": 1} if input is None else input, **more)


def complete(queue: Queue, job_id: str, type: str = "cached", result: Any = None) -> None:
    """Run the one pending job of the type."""
    worker, lease_id = queue.worker(), uuid4()
    assert [job["id"] for job in claim(worker, "w1", lease_id, types=[type])] == [job_id]
    call(worker, "complete_job", job_id=job_id, lease_id=lease_id, result=RESULT if result is None else result)


def ask_and_complete(queue: Queue, session: Session, **more: Any) -> str:
    job_id = enqueue(session, **more)["id"]
    complete(queue, job_id, more.get("type", "cached"))
    assert isinstance(job_id, str)
    return job_id


def hits(queue: Queue) -> list[int]:
    return [n for (n,) in queue.owner.execute("select hits from public.analysis_cache order by created_at").fetchall()]


@pytest.fixture
def cached(queue: Queue) -> Queue:
    queue.new_type("cached", cache_ttl_seconds=3600)
    return queue


def test_a_hit_is_a_completed_job_in_the_same_call(cached: Queue) -> None:
    user_id = cached.new_user()
    session = cached.user(user_id)
    first = ask_and_complete(cached, session)
    answer = enqueue(session)
    assert answer == {"id": answer["id"], "status": "completed", "cached": True, "result": RESULT}
    assert answer["id"] != first
    job = cached.job(answer["id"])
    assert (job["user_id"], job["status"], job["cached"], job["result"]) == (str(user_id), "completed", True, RESULT)
    assert (job["attempt"], job["progress"], job["started_at"]) == (0, 1, None)
    assert job["finished_at"] >= job["created_at"]
    assert claim(cached.worker(), "w1", uuid4(), types=["cached"]) == []


def test_hits_are_counted(cached: Queue) -> None:
    session = cached.user(cached.new_user())
    ask_and_complete(cached, session)
    assert hits(cached) == [0]
    enqueue(session)
    enqueue(session)
    assert hits(cached) == [2]
    row = cached.owner.execute("select last_hit_at > created_at from public.analysis_cache").fetchone()
    assert row == (True,)


def test_a_hit_under_a_key_is_found_under_the_key(cached: Queue) -> None:
    session = cached.user(cached.new_user())
    ask_and_complete(cached, session)
    answer = enqueue(session, idempotency_key="k")
    assert answer["cached"] is True
    assert enqueue(session, idempotency_key="k") == answer
    assert hits(cached) == [1]


def test_an_expired_result_answers_nothing_and_is_replaced(cached: Queue) -> None:
    session = cached.user(cached.new_user())
    ask_and_complete(cached, session)
    past = "now() - interval '2 days', expires_at = now() - interval '1 second'"
    cached.owner.execute(f"update public.analysis_cache set created_at = {past}".encode())
    again = enqueue(session)
    assert again["status"] == "pending"
    complete(cached, again["id"], result={"x": 2})
    assert enqueue(session)["result"] == {"x": 2}


def test_a_result_of_another_prompt_version_answers_nothing(cached: Queue) -> None:
    session = cached.user(cached.new_user())
    ask_and_complete(cached, session)
    cached.owner.execute("update public.analysis_types set prompt_version = '2' where type = 'cached'")
    assert enqueue(session)["status"] == "pending"


def test_another_input_or_type_is_a_miss(cached: Queue) -> None:
    cached.new_type("other", cache_ttl_seconds=3600)
    session = cached.user(cached.new_user())
    ask_and_complete(cached, session)
    assert enqueue(session, input={"a": 2})["status"] == "pending"
    assert enqueue(session, type="other")["status"] == "pending"


def test_a_file_counts_by_its_version_and_not_by_its_name(cached: Queue) -> None:
    user_id = cached.new_user()
    session = cached.user(user_id)
    wanted = {"files": [cached.new_file(f"{user_id}/exam.jpg")]}
    cached.owner.execute("update storage.objects set version = 'v1'")
    ask_and_complete(cached, session, input=wanted)
    assert enqueue(session, input=wanted)["cached"] is True
    cached.owner.execute("update storage.objects set version = 'v2'")
    assert enqueue(session, input=wanted)["status"] == "pending"


def test_the_same_content_under_another_name_is_a_hit(cached: Queue) -> None:
    user_id = cached.new_user()
    session = cached.user(user_id)
    files = [cached.new_file(f"{user_id}/{name}.jpg") for name in ("a", "b")]
    cached.owner.execute("update storage.objects set version = 'v1'")
    ask_and_complete(cached, session, input={"files": files[:1]})
    assert enqueue(session, input={"files": files[1:]})["cached"] is True


def test_what_else_is_said_of_a_file_counts_too(cached: Queue) -> None:
    user_id = cached.new_user()
    session = cached.user(user_id)
    file = cached.new_file(f"{user_id}/exam.jpg")
    ask_and_complete(cached, session, input={"files": [file]})
    assert enqueue(session, input={"files": [file | {"page": 2}]})["status"] == "pending"


def test_results_of_one_user_answer_no_other(cached: Queue) -> None:
    ask_and_complete(cached, cached.user(cached.new_user()))
    assert enqueue(cached.user(cached.new_user()))["status"] == "pending"
    assert enqueue(cached.worker())["status"] == "pending"


def test_global_results_answer_everybody(queue: Queue) -> None:
    queue.new_type("cached", cache_ttl_seconds=3600, cache_scope="global")
    ask_and_complete(queue, queue.user(queue.new_user()))
    assert enqueue(queue.user(queue.new_user()))["cached"] is True
    assert enqueue(queue.worker())["cached"] is True


def test_a_type_that_caches_nothing_keeps_nothing(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    ask_and_complete(queue, session, type="plain")
    assert hits(queue) == []
    assert enqueue(session, type="plain")["status"] == "pending"


def test_a_type_that_stopped_caching_answers_and_keeps_nothing(cached: Queue) -> None:
    session = cached.user(cached.new_user())
    ask_and_complete(cached, session)
    pending = enqueue(session, input={"a": 2})["id"]
    cached.owner.execute("update public.analysis_types set cache_ttl_seconds = null where type = 'cached'")
    complete(cached, pending)
    assert enqueue(session)["status"] == "pending"
    assert len(hits(cached)) == 1


def test_a_failure_is_not_kept(cached: Queue) -> None:
    session, worker, lease_id = cached.user(cached.new_user()), cached.worker(), uuid4()
    job_id = enqueue(session)["id"]
    claim(worker, "w1", lease_id, types=["cached"])
    call(worker, "fail_job", job_id=job_id, lease_id=lease_id, error=ERROR, retryable=False)
    assert hits(cached) == []


def test_a_job_for_later_is_not_answered_from_before(cached: Queue) -> None:
    session = cached.user(cached.new_user())
    ask_and_complete(cached, session)
    row = cached.owner.execute("select now() + interval '1 day'").fetchone()
    assert row is not None
    assert enqueue(session, scheduled_at=row[0])["status"] == "pending"


def test_a_result_goes_with_the_job_that_made_it(cached: Queue) -> None:
    session = cached.user(cached.new_user())
    job_id = ask_and_complete(cached, session)
    cached.owner.execute("delete from public.analysis_jobs where id = %s", [UUID(job_id)])
    assert enqueue(session)["status"] == "pending"


def test_hits_do_not_count_towards_the_rate(queue: Queue) -> None:
    queue.new_type("cached", cache_ttl_seconds=3600, rate_limit=2)
    session = queue.user(queue.new_user())
    ask_and_complete(queue, session)
    for _ in range(3):
        assert enqueue(session)["cached"] is True
    assert enqueue(session, input={"a": 2})["status"] == "pending"


def test_users_who_ask_for_a_global_result_at_once_are_all_answered_and_counted(queue: Queue) -> None:
    queue.new_type("cached", cache_ttl_seconds=3600, cache_scope="global")
    ask_and_complete(queue, queue.user(queue.new_user()))

    def ask(session: Session) -> list[bool]:
        return [enqueue(session)["cached"] for _ in range(10)]

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(ask, [queue.user(queue.new_user()) for _ in range(8)]))
    assert answers == [[True] * 10] * 8
    assert hits(queue) == [80]
