"""The end of a job is announced to its user, and to nobody else; announcing can never undo what was settled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from supabase_local.postgres import SUPERUSER
from tests.databases import Databases
from tests.sql.factories import ERROR, Queue, call


def announced(queue: Queue) -> list[tuple[str, str, bool, Any]]:
    statement = (
        "select topic, event, private, payload -> 'job_id' from realtime.messages"
        " where event = 'status' order by inserted_at"
    )
    return queue.owner.execute(statement).fetchall()


@pytest.fixture(autouse=True)
def nothing_announced(queue: Queue) -> None:
    queue.owner.execute("delete from realtime.messages")


def test_the_end_of_a_job_is_announced_with_its_id_and_nothing_else(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={"secret": 1})
    message = (f"analysis_jobs:{user_id}", "status", True, str(job_id))
    assert announced(queue) == [message]
    payloads = queue.owner.execute("select payload - 'id' from realtime.messages where event = 'status'").fetchall()
    assert payloads == [({"job_id": str(job_id)},)]


def test_jobs_of_several_users_that_end_at_once_are_announced_to_each(queue: Queue) -> None:
    users = [queue.new_user() for _ in range(3)]
    jobs = {str(queue.new_job(user_id=user_id)): user_id for user_id in users}
    queue.owner.execute("update public.analysis_jobs set status = 'cancelled', finished_at = now()")
    assert {job_id: topic for topic, _, _, job_id in announced(queue)} == {
        job_id: f"analysis_jobs:{user_id}" for job_id, user_id in jobs.items()
    }


@pytest.mark.parametrize("of_a_user", [True, False])
def test_starts_progress_retries_and_jobs_of_nobody_are_not_announced(queue: Queue, of_a_user: bool) -> None:
    job_id, lease_id = queue.new_claimed_job(user_id=queue.new_user() if of_a_user else None)
    call(queue.worker(), "report_progress", job_id=job_id, lease_id=lease_id, progress=0.5, partial="x")
    call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=ERROR, retryable=of_a_user)
    assert announced(queue) == []


@pytest.mark.parametrize(("listener", "heard"), [("owner", 1), ("other", 0), ("nobody", 0)])
def test_only_its_user_may_listen_to_a_topic(queue: Queue, listener: str, heard: int) -> None:
    """As Realtime asks it at a join: with the topic set, as the role and claims of who wants to join."""
    owner, other = queue.new_user(), queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=owner)
    call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})
    users: dict[str, UUID] = {"owner": owner, "other": other}
    role = "anon" if listener == "nobody" else "authenticated"
    session = queue.session(role, users.get(listener))
    session.execute("select set_config('realtime.topic', %s, false)", [f"analysis_jobs:{owner}"])
    rows = session.execute("select count(*) from realtime.messages where extension = 'broadcast'").fetchone()
    assert rows is not None
    assert min(rows[0], 1) == heard


def test_a_broadcast_that_is_broken_undoes_nothing(databases: Databases) -> None:
    with databases.copied("migrated") as name:
        with psycopg.connect(databases.url(name, SUPERUSER), autocommit=True) as admin:
            admin.execute("drop table realtime.messages cascade")
        with psycopg.connect(databases.url(name), autocommit=True) as owner:
            queue = Queue(databases.url(name), owner)
            job_id, lease_id = queue.new_claimed_job(user_id=queue.new_user())
            call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})
            assert queue.job(job_id)["status"] == "completed"
            queue.close()
