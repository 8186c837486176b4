"""enqueue_analysis: what it stores, and what it refuses."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import Queue, call, refused


def test_a_user_enqueues_a_pending_job_of_their_own(queue: Queue) -> None:
    user_id = queue.new_user()
    answer = call(queue.user(user_id), "enqueue_analysis", type="plain", input={"note": "olá"})
    assert answer == {"id": answer["id"], "status": "pending", "cached": False}
    job = queue.job(answer["id"])
    assert (job["user_id"], job["type"], job["input"]) == (str(user_id), "plain", {"note": "olá"})
    assert (job["status"], job["attempt"], job["max_attempts"], job["progress"]) == ("pending", 0, 3, 0)
    assert job["input_hash"] == hashlib.sha256('plain {"note": "olá"}'.encode()).hexdigest()


def test_limits_and_priority_come_from_the_type(queue: Queue) -> None:
    queue.new_type("echo", max_attempts=7, priority=5)
    answer = call(queue.user(queue.new_user()), "enqueue_analysis", type="echo", input={})
    job = queue.job(answer["id"])
    assert (job["max_attempts"], job["priority"]) == (7, 5)


def test_a_service_enqueues_a_job_of_nobody(queue: Queue) -> None:
    answer = call(queue.worker(), "enqueue_analysis", type="plain", input={})
    assert queue.job(answer["id"])["user_id"] is None


def test_a_token_without_a_user_is_refused(queue: Queue) -> None:
    with refused("PT401", "sign in"):
        call(queue.session("authenticated"), "enqueue_analysis", type="plain", input={})


def test_an_unknown_type_is_refused(queue: Queue) -> None:
    with refused("PT404", "unknown analysis type"):
        call(queue.user(queue.new_user()), "enqueue_analysis", type="nonsense", input={})


def test_a_paused_type_is_refused(queue: Queue) -> None:
    queue.new_type("echo", paused=True)
    with refused("PT503", "paused"):
        call(queue.user(queue.new_user()), "enqueue_analysis", type="echo", input={})


@pytest.mark.parametrize("text", ["[]", '"text"', "null", "1"])
def test_an_input_that_is_no_object_is_refused(queue: Queue, text: str) -> None:
    session = queue.user(queue.new_user())
    with refused("PT400", "must be a JSON object"):
        session.execute("select public.enqueue_analysis('plain', %s::jsonb)", [text])


def test_a_missing_input_is_refused(queue: Queue) -> None:
    with refused("PT400", "must be a JSON object"):
        call(queue.user(queue.new_user()), "enqueue_analysis", type="plain", input=None)


def test_an_input_may_be_as_large_as_its_type_allows_and_no_larger(queue: Queue) -> None:
    queue.new_type("echo", input_max_bytes=100)
    session = queue.user(queue.new_user())
    call(session, "enqueue_analysis", type="echo", input={"a": "x" * 91})
    with refused("PT413", "too large"):
        call(session, "enqueue_analysis", type="echo", input={"a": "x" * 92})


@pytest.mark.parametrize(("wanted", "stored"), [(None, 5), (7, 5), (5, 5), (0, 0), (-5, -5), (-2000000000, -5)])
def test_a_user_steps_back_in_the_queue_but_never_ahead(queue: Queue, wanted: int | None, stored: int) -> None:
    queue.new_type("echo", priority=5)
    session = queue.user(queue.new_user())
    answer = call(session, "enqueue_analysis", type="echo", input={}, priority=wanted)
    assert queue.job(answer["id"])["priority"] == stored


def test_a_service_sets_any_legal_priority(queue: Queue) -> None:
    worker = queue.worker()
    answer = call(worker, "enqueue_analysis", type="plain", input={}, priority=100)
    assert queue.job(answer["id"])["priority"] == 100
    with refused("PT400", "priority"):
        call(worker, "enqueue_analysis", type="plain", input={}, priority=101)


def scheduled_at(queue: Queue, when: datetime) -> datetime:
    session = queue.user(queue.new_user())
    answer = call(session, "enqueue_analysis", type="plain", input={}, scheduled_at=when)
    return datetime.fromisoformat(queue.job(answer["id"])["scheduled_at"])


def test_a_job_can_be_scheduled(queue: Queue) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert scheduled_at(queue, tomorrow) == tomorrow


def test_a_time_in_the_past_gives_no_place_ahead_of_others(queue: Queue) -> None:
    assert datetime.now(UTC) - scheduled_at(queue, datetime(2000, 1, 1, tzinfo=UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("when", ["infinity", "2999-01-01"])
def test_a_time_too_far_away_is_refused(queue: Queue, when: str) -> None:
    with refused("PT400", "scheduled_at"):
        call(queue.worker(), "enqueue_analysis", type="plain", input={}, scheduled_at=when)


def test_a_users_jobs_go_with_the_user(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, _ = queue.new_claimed_job(user_id=user_id)
    queue.owner.execute("delete from auth.users where id = %s", [user_id])
    assert queue.everything() == []
    with refused("PT404"):
        call(queue.user(user_id), "get_analysis_status", job_id=job_id)


def with_files(*files: object) -> dict[str, object]:
    return {"files": list(files)}


def test_a_users_own_file_is_accepted(queue: Queue) -> None:
    user_id = queue.new_user()
    file = queue.new_file(f"{user_id}/exam.jpg")
    answer = call(queue.user(user_id), "enqueue_analysis", type="plain", input=with_files(file))
    assert queue.job(answer["id"])["input"] == {"files": [file]}


def test_a_file_that_does_not_exist_is_refused(queue: Queue) -> None:
    user_id = queue.new_user()
    missing = {"bucket": "analysis-inputs", "path": f"{user_id}/missing.jpg"}
    with refused("PT404", "not found"):
        call(queue.user(user_id), "enqueue_analysis", type="plain", input=with_files(missing))


def foreign_paths() -> list[str]:
    return ["{other}/exam.jpg", "exam.jpg", "{other}/{own}/exam.jpg", "/{own}/exam.jpg", "{own}x/exam.jpg"]


@pytest.mark.parametrize("path", foreign_paths())
def test_a_file_outside_the_users_own_folder_is_refused(queue: Queue, path: str) -> None:
    user_id, other = queue.new_user(), queue.new_user()
    own = queue.new_file(f"{user_id}/exam.jpg")
    foreign = queue.new_file(path.format(own=user_id, other=other))
    with refused("PT403", "not yours"):
        call(queue.user(user_id), "enqueue_analysis", type="plain", input=with_files(own, foreign))


def test_a_service_names_any_file_that_exists(queue: Queue) -> None:
    file = queue.new_file(f"{uuid4()}/exam.jpg")
    call(queue.worker(), "enqueue_analysis", type="plain", input=with_files(file))
    with refused("PT404", "not found"):
        call(queue.worker(), "enqueue_analysis", type="plain", input=with_files(file | {"path": "none.jpg"}))


@pytest.mark.parametrize("files", [{}, "exam.jpg", [1], [None], [{"bucket": "b"}], [{"bucket": "b", "path": 1}], [[]]])
def test_files_of_a_wrong_shape_are_refused(queue: Queue, files: object) -> None:
    with refused("PT400"):
        call(queue.user(queue.new_user()), "enqueue_analysis", type="plain", input={"files": files})


def test_ids_are_uuids(queue: Queue) -> None:
    answer = call(queue.worker(), "enqueue_analysis", type="plain", input={})
    assert str(UUID(answer["id"])) == answer["id"]
