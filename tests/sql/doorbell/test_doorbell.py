"""What the doorbell says, and that ringing it can never cost a job or a cancel."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.sql.factories import CANCEL_ALL, ERROR, Queue, call

INSERT = (
    "insert into public.analysis_jobs (type, input) select 'medical_exam', %s from generate_series(1, %s) returning id"
)


@pytest.fixture
def database(migrated: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(migrated, autocommit=True)


def rung(database: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    statement = "select topic, event, private, payload - 'id' from realtime.messages order by inserted_at"
    return database.execute(statement).fetchall()


def test_one_job_is_announced_by_its_id_and_nothing_else(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        row = database.execute(INSERT, (Jsonb({"secret": "CPF"}), 1)).fetchone()
        assert row is not None
        assert rung(database) == [("analysis_jobs", "job", True, {"job_id": str(row[0])})]


def test_a_statement_that_adds_many_jobs_rings_once(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        database.execute(INSERT, (Jsonb({}), 50))
        assert rung(database) == [("analysis_jobs", "job", True, {})]


def test_a_job_that_is_no_work_does_not_ring(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        database.execute(
            "insert into public.analysis_jobs (type, input, status, result, cached, finished_at)"
            " values ('medical_exam', '{}', 'completed', '{}', true, now())"
        )
        assert rung(database) == []


def test_a_rolled_back_job_does_not_ring(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        with database.transaction(force_rollback=True):
            database.execute(INSERT, (Jsonb({}), 1))
        assert rung(database) == []


def test_a_doorbell_that_is_broken_loses_no_job_and_no_cancel(
    migrated: str, database: psycopg.Connection[tuple[Any, ...]]
) -> None:
    superuser = migrated.replace("//postgres:", "//supabase_admin:")
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute("drop table realtime.messages cascade")
    with database:
        database.execute(INSERT, (Jsonb({}), 1))
        assert database.execute("select count(*) from public.analysis_jobs").fetchone() == (1,)
        database.execute("select public.claim_job('w1', gen_random_uuid(), array['medical_exam'], 1)")
        database.execute(CANCEL_ALL)
        assert database.execute("select status from public.analysis_jobs").fetchone() == ("cancelled",)


@pytest.fixture
def silent(queue: Queue) -> Queue:
    """A queue whose doorbell has not rung."""
    queue.owner.execute("delete from realtime.messages")
    return queue


def cancels(queue: Queue) -> list[tuple[Any, ...]]:
    statement = "select topic, private, payload - 'id' from realtime.messages where event = 'cancelled'"
    return queue.owner.execute(statement).fetchall()


def test_a_running_job_that_is_cancelled_rings_by_its_id_and_nothing_else(silent: Queue) -> None:
    user_id = silent.new_user()
    job_id, _ = silent.new_claimed_job(user_id=user_id, input={"secret": "CPF"})
    call(silent.user(user_id), "cancel_analysis", job_id=job_id)
    call(silent.user(user_id), "cancel_analysis", job_id=job_id)
    assert cancels(silent) == [("analysis_jobs", True, {"job_id": str(job_id)})]


def test_a_job_that_nobody_runs_is_cancelled_without_a_ring(silent: Queue) -> None:
    job_id = silent.new_job()
    call(silent.worker(), "cancel_analysis", job_id=job_id)
    assert silent.job(job_id)["status"] == "cancelled"
    assert cancels(silent) == []


def test_a_statement_that_cancels_many_running_jobs_rings_once(silent: Queue) -> None:
    for _ in range(3):
        silent.new_claimed_job()
    silent.owner.execute(CANCEL_ALL)
    assert cancels(silent) == [("analysis_jobs", True, {})]


def test_of_many_that_are_cancelled_only_the_one_that_ran_is_named(silent: Queue) -> None:
    running, _ = silent.new_claimed_job()
    silent.new_job()
    silent.owner.execute(CANCEL_ALL)
    assert cancels(silent) == [("analysis_jobs", True, {"job_id": str(running)})]


LOOK: list[tuple[Any, ...]] = [("analysis_jobs", "job", True, {})]


def told(queue: Queue) -> list[tuple[Any, ...]]:
    """Since it was asked last."""
    answer = [row for row in rung(queue.owner) if row[0] == "analysis_jobs"]
    queue.owner.execute("delete from realtime.messages")
    return answer


def test_jobs_that_are_given_back_or_replayed_ring_and_those_that_ended_do_not(silent: Queue) -> None:
    given_back, failed = (silent.new_claimed_job() for _ in range(2))
    told(silent)
    call(silent.worker(), "release_job", job_id=given_back[0], lease_id=given_back[1])
    assert told(silent) == LOOK
    call(silent.worker(), "fail_job", job_id=failed[0], lease_id=failed[1], error=Jsonb(ERROR), retryable=False)
    assert told(silent) == []
    call(silent.session("service_role"), "replay_job", job_id=failed[0])
    assert told(silent) == LOOK


def test_a_job_that_waits_again_rings_by_its_id_and_says_for_how_long(silent: Queue) -> None:
    job_id, lease_id = silent.new_claimed_job()
    told(silent)
    call(silent.worker(), "defer_job", job_id=job_id, lease_id=lease_id, delay_seconds=60, reason="busy")
    ((*_, message),) = told(silent)
    assert message.pop("due_in_seconds") == pytest.approx(60, abs=5)
    assert message == {"job_id": str(job_id)}


@pytest.mark.parametrize(("delays", "due_in_seconds"), [((60,), 60), ((60, 30), 30), ((60, 0), None)])
def test_jobs_for_later_ring_and_say_when_the_first_is_due(
    silent: Queue, delays: tuple[int, ...], due_in_seconds: int | None
) -> None:
    silent.owner.execute(
        "insert into public.analysis_jobs (type, input, scheduled_at)"
        " select 'medical_exam', '{}', now() + make_interval(secs => delay) from unnest(%s::integer[]) as delay",
        [list(delays)],
    )
    ((*_, message),) = told(silent)
    assert message.get("due_in_seconds") == (due_in_seconds and pytest.approx(due_in_seconds, abs=5))
    assert ("job_id" in message) == (len(delays) == 1)


def test_a_worker_that_leaves_rings_once_for_what_it_was_told_and_did_not_fetch(silent: Queue) -> None:
    silent.new_claimed_job("w1")
    silent.owner.execute(
        "update public.analysis_jobs set status = 'cancelled', lease_id = null, leased_by = null,"
        " deadline_at = null, finished_at = now()"
    )
    told(silent)
    for _ in range(2):
        call(silent.worker(), "deregister_worker", worker_id="w1")
    assert told(silent) == LOOK


@pytest.mark.parametrize("change", ["paused = false", "concurrency = 9", "concurrency_per_user = null"])
def test_a_type_that_has_more_room_rings_and_other_changes_do_not(silent: Queue, change: str) -> None:
    silent.new_type("echo", paused=True, concurrency=1, concurrency_per_user=1)
    for wanted in (change, change, "timeout_seconds = 9"):
        silent.owner.execute(f"update public.analysis_types set {wanted} where type = 'echo'".encode())
    assert told(silent) == LOOK
