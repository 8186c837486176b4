"""check_sync_analysis: what enqueue_analysis would refuse, before a model is paid for the answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import Queue, Session, call, claim, refused


@pytest.fixture
def queue(queue: Queue) -> Queue:
    queue.new_type("plain")
    return queue


def check(session: Session, type: str = "plain", **input: Any) -> Any:
    return call(session, "check_sync_analysis", type=type, input=input)


def settle(queue: Queue, type: str, result: dict[str, Any]) -> None:
    """What a worker does with the one job of this type."""
    (job,) = claim(queue.worker(), "w1", lease_id := uuid4(), types=[type])
    call(queue.worker(), "complete_job", job_id=job["id"], lease_id=lease_id, result=result)


def rows_of(queue: Queue, user_id: UUID) -> list[tuple[Any, ...]]:
    query = "select status, cached, result from public.analysis_jobs where user_id = %s order by created_at"
    return queue.owner.execute(query, [user_id]).fetchall()


def test_what_has_to_be_analyzed_is_answered_with_nothing_and_leaves_no_row(queue: Queue) -> None:
    user_id = queue.new_user()
    assert check(queue.user(user_id), a=1) is None
    assert rows_of(queue, user_id) == []


def test_nobody_is_told_to_sign_in(queue: Queue) -> None:
    session = queue.session("authenticated")
    with refused("PT401", "sign in"):
        check(session)


def test_an_unknown_and_a_paused_type_are_refused(queue: Queue) -> None:
    queue.new_type("off", paused=True)
    session = queue.user(queue.new_user())
    with refused("PT404", "unknown analysis type"):
        check(session, "nothing")
    with refused("PT503", "paused"):
        check(session, "off")


def test_an_input_is_held_to_its_types_schema_and_size(queue: Queue) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    queue.new_type("strict", input_schema=schema, input_max_bytes=100)
    session = queue.user(queue.new_user())
    with refused("PT400") as refusal:
        check(session, "strict", text=1)
    assert '"field": "text"' in refusal.detail
    with refused("PT413", "too large"):
        check(session, "strict", text="x" * 200)


def test_files_have_to_be_there_and_the_callers_whichever_way_they_are_named(queue: Queue) -> None:
    user_id = queue.new_user()
    session = queue.user(user_id)
    own, foreign = queue.new_file(f"{user_id}/a.jpg"), queue.new_file(f"{uuid4()}/a.jpg")
    missing = own | {"path": f"{user_id}/b.jpg"}
    assert check(session, file=own, files=[own]) is None
    for file, code in ((foreign, "PT403"), (missing, "PT404"), ({"bucket": "analysis-inputs"}, "PT400")):
        for named in ({"file": file}, {"files": [file]}):
            with refused(code):
                check(session, **named)


def test_the_single_file_of_a_job_has_to_be_the_callers_too(queue: Queue) -> None:
    user_id = queue.new_user()
    foreign = queue.new_file(f"{uuid4()}/a.jpg")
    with refused("PT403", "not yours"):
        call(queue.user(user_id), "enqueue_analysis", type="plain", input={"file": foreign})
    assert rows_of(queue, user_id) == []


def test_a_single_file_counts_by_its_content_and_not_by_its_name(queue: Queue) -> None:
    user_id = queue.new_user()
    session = queue.user(user_id)
    file = queue.new_file(f"{user_id}/a.jpg")
    call(session, "enqueue_analysis", type="plain", input={"file": file})
    with refused("PT409"):
        check(session, file=file)
    queue.owner.execute("update storage.objects set version = 'another'")
    assert check(session, file=file) is None


def test_what_a_job_of_the_user_does_already_is_not_paid_for_twice(queue: Queue) -> None:
    user_id = queue.new_user()
    job = call(queue.user(user_id), "enqueue_analysis", type="plain", input={"a": 1})
    with refused("PT409", "a job does this already") as refusal:
        check(queue.user(user_id), a=1)
    assert job["id"] in refusal.detail
    assert check(queue.user(queue.new_user()), a=1) is None


def test_an_earlier_result_answers_as_a_completed_job(queue: Queue) -> None:
    queue.new_type("kept", cache_ttl_seconds=3600)
    user_id = queue.new_user()
    session = queue.user(user_id)
    call(session, "enqueue_analysis", type="kept", input={"a": 1})
    settle(queue, "kept", {"b": 2})
    answer = check(session, "kept", a=1)
    assert (answer["status"], answer["cached"], answer["result"]) == ("completed", True, {"b": 2})
    assert rows_of(queue, user_id) == [("completed", False, {"b": 2}), ("completed", True, {"b": 2})]


def test_the_rate_is_that_of_jobs(queue: Queue) -> None:
    queue.new_type("rare", rate_limit=1)
    user_id = queue.new_user()
    session = queue.user(user_id)
    assert check(session, "rare", a=1) is None
    call(session, "enqueue_analysis", type="rare", input={"a": 2})
    with refused("PT429") as refusal:
        check(session, "rare", a=1)
    assert "retry_after_seconds" in refusal.detail
