"""delete_user_data: nothing of the user is left, and nothing of anybody else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import Queue, call, claim, refused

TABLES = [
    "types",
    "jobs",
    "queue",
    "checkpoints",
    "attempts",
    "workers",
    "idempotency_keys",
    "cache",
    "audit",
    "flags",
    "health",
    "health_settings",
]


def enqueue(queue: Queue, user_id: UUID, word: str, **more: Any) -> str:
    arguments = {"type": "echo", "input": {"note": f"input {word}"}, "idempotency_key": f"key {word}"} | more
    answer = call(queue.user(user_id), "enqueue_analysis", **arguments)
    assert isinstance(answer["id"], str)
    return answer["id"]


def settle(queue: Queue, job_id: str, function: str, **more: Any) -> None:
    """Claim everything claimable and settle this job."""
    worker, lease_id = queue.worker(), uuid4()
    assert job_id in [job["id"] for job in claim(worker, "w1", lease_id, types=["echo"], max_jobs=100)]
    call(worker, function, job_id=job_id, lease_id=lease_id, **more)


def new_history(queue: Queue, word: str) -> UUID:
    """A user with a job in every state, and `word` in whatever can hold text."""
    user_id = queue.new_user()
    file = queue.new_file(f"{user_id}/{word}.jpg")
    job_id = enqueue(queue, user_id, word, input={"files": [file], "note": f"input {word}"})
    settle(queue, job_id, "complete_job", result={"text": f"result {word}"}, usage={"model": f"usage {word}"})
    job_id = enqueue(queue, user_id, f"{word} failed")
    error = {"code": "c", "message": f"error {word}", "trace": f"trace {word}"}
    settle(queue, job_id, "fail_job", error=error, retryable=False)
    call(queue.worker(), "replay_job", job_id=job_id)
    settle(queue, job_id, "defer_job", delay_seconds=60, reason=f"reason {word}")
    call(queue.user(user_id), "cancel_analysis", job_id=enqueue(queue, user_id, f"{word} cancelled"))
    running, lease_id = enqueue(queue, user_id, f"{word} running"), uuid4()
    claim(queue.worker(), "w1", lease_id, types=["echo"])
    call(queue.worker(), "save_checkpoint", job_id=running, lease_id=lease_id, data={"so far": f"checkpoint {word}"})
    enqueue(queue, user_id, f"{word} pending")
    enqueue(queue, user_id, f"{word} waiting")
    for key, users in (("sofia", "allow_users"), ("exams", "deny_users")):
        call(queue.worker(), "set_flag_users", key=key, **{users: [*listed(queue, key, users), user_id]})
    return user_id


def listed(queue: Queue, key: str, users: str) -> list[UUID]:
    row = queue.owner.execute(f"select {users} from public.analysis_flags where key = %s".encode(), [key]).fetchone()
    assert row is not None
    return list(row[0])


@pytest.fixture
def queue(queue: Queue) -> Iterator[Queue]:
    yield queue
    queue.owner.execute("update public.analysis_flags set allow_users = '{}', deny_users = '{}'")


def texts(queue: Queue) -> str:
    """Every row of every table of ours, as text."""
    rows = [
        row
        for table in TABLES
        for (row,) in queue.owner.execute(f"select t::text from public.analysis_{table} as t".encode()).fetchall()
    ]
    return "\n".join(rows)


def job_ids(queue: Queue, user_id: UUID) -> list[str]:
    query = "select id::text from public.analysis_jobs where user_id = %s"
    return [job_id for (job_id,) in queue.owner.execute(query, [user_id]).fetchall()]


def test_no_row_and_no_word_of_the_user_is_left(queue: Queue) -> None:
    queue.new_type("echo", cache_ttl_seconds=3600)
    user_id = new_history(queue, "abacaxi")
    traces = ["abacaxi", str(user_id), *job_ids(queue, user_id)]
    assert all(trace in texts(queue) for trace in traces)
    answer = call(queue.worker(), "delete_user_data", user_id=user_id)
    assert not any(trace in texts(queue) for trace in traces)
    assert answer == {
        "jobs": 6,
        "attempts": 4,
        "keys": 6,
        "results": 1,
        "objects": [{"bucket": "analysis-inputs", "name": f"{user_id}/abacaxi.jpg"}],
        "more": False,
    }


def test_every_table_is_looked_through(queue: Queue) -> None:
    query = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    tables = {name for (name,) in queue.owner.execute(query).fetchall()}
    assert tables == {f"analysis_{table}" for table in TABLES}


def test_others_keep_everything(queue: Queue) -> None:
    queue.new_type("echo", cache_ttl_seconds=3600)
    user_id, other = new_history(queue, "abacaxi"), new_history(queue, "banana")
    before = job_ids(queue, other)
    kept = f"create temporary table kept as select * from public.analysis_jobs where user_id = '{other}'"
    queue.owner.execute(kept.encode())
    call(queue.worker(), "delete_user_data", user_id=user_id)
    assert job_ids(queue, other) == before
    changed = queue.owner.execute(
        "select count(*) from kept join public.analysis_jobs as job using (id) where to_jsonb(kept) <> to_jsonb(job)"
    ).fetchone()
    assert changed == (0,)
    queue.owner.execute("drop table kept")
    assert enqueue(queue, other, "banana pending") in before
    assert listed(queue, "sofia", "allow_users") == listed(queue, "exams", "deny_users") == [other]


def test_an_entry_without_content_says_that_it_was_done(queue: Queue) -> None:
    queue.new_type("echo")
    user_id = queue.new_user()
    enqueue(queue, user_id, "abacaxi")
    call(queue.worker(), "delete_user_data", user_id=user_id)
    rows = queue.owner.execute("select actor, action, details from public.analysis_audit").fetchall()
    hashed = queue.owner.execute("select encode(sha256(%s::text::bytea), 'hex')", [str(user_id)]).fetchone()
    assert hashed is not None
    counts = {"jobs": 1, "attempts": 0, "keys": 1, "results": 0, "objects": 0}
    assert rows == [("service_role", "delete_user_data", counts | {"user_sha256": hashed[0]})]


def test_files_of_other_buckets_are_named_where_a_job_used_them_and_are_the_users(queue: Queue) -> None:
    queue.new_type("echo")
    queue.owner.execute("insert into storage.buckets (id, name) values ('photos', 'photos')")
    user_id, other = queue.new_user(), queue.new_user()
    meal = queue.new_file(f"{user_id}/meal.jpg", bucket="photos")
    snack = queue.new_file(f"{user_id}/snack.jpg", bucket="photos")
    queue.new_file(f"{user_id}/avatar.jpg", bucket="photos")
    queue.new_file(f"{other}/exam.jpg")
    queue.new_file(f"{user_id}0/exam.jpg")
    unused = queue.new_file(f"{user_id}/deep/unused.jpg")
    enqueue(queue, user_id, "abacaxi", input={"files": [meal]})
    enqueue(queue, user_id, "abacate", input={"file": snack})
    objects = call(queue.worker(), "delete_user_data", user_id=user_id)["objects"]
    assert objects == [{"bucket": file["bucket"], "name": file["path"]} for file in (unused, meal, snack)]


def test_it_works_in_batches(queue: Queue) -> None:
    queue.new_type("echo")
    user_id = queue.new_user()
    for number in range(5):
        enqueue(queue, user_id, f"abacaxi {number}")
    answers = [call(queue.worker(), "delete_user_data", user_id=user_id, max_jobs=2) for _ in range(3)]
    assert [(answer["jobs"], answer["more"]) for answer in answers] == [(2, True), (2, True), (1, False)]
    assert queue.everything() == []


def test_a_user_without_jobs_is_no_mistake(queue: Queue) -> None:
    answer = call(queue.worker(), "delete_user_data", user_id=uuid4())
    assert answer == {"jobs": 0, "attempts": 0, "keys": 0, "results": 0, "objects": [], "more": False}


def test_nobody_in_particular_is_refused(queue: Queue) -> None:
    queue.new_job()
    with refused("PT400", "user_id"):
        call(queue.worker(), "delete_user_data", user_id=None)
    assert len(queue.everything()) == 1


def test_a_worker_that_still_runs_a_job_is_told_that_it_lost_it(queue: Queue) -> None:
    queue.new_type("echo", cache_ttl_seconds=3600)
    user_id = queue.new_user()
    job_id, lease_id = enqueue(queue, user_id, "abacaxi"), uuid4()
    claim(queue.worker(), "w1", lease_id, types=["echo"])
    call(queue.worker(), "delete_user_data", user_id=user_id)
    answer = call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={"text": "abacaxi"})
    assert (answer["lease"], answer["status"]) == ("lost", None)
    assert "abacaxi" not in texts(queue)
