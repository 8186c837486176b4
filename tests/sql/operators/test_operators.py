"""Pausing, cancelling and looking at the installation: what it changes, who is on record, what it tells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.databases import Databases
from tests.sql.factories import ERROR, Queue, call, claim, refused


def audit(queue: Queue) -> list[Any]:
    return queue.owner.execute("select actor, action, details from public.analysis_audit order by id").fetchall()


def is_paused(queue: Queue, type: str) -> bool:
    row = queue.owner.execute("select paused from public.analysis_types where type = %s", [type]).fetchone()
    assert row is not None
    return bool(row[0])


def test_a_paused_type_is_neither_enqueued_nor_claimed_until_it_is_resumed(queue: Queue) -> None:
    queue.new_type("echo")
    waiting = queue.new_job(type="echo")
    assert call(queue.worker(), "pause_type", type="echo") == {"type": "echo", "paused": True, "changed": True}
    assert is_paused(queue, "echo")
    with refused("PT503"):
        call(queue.worker(), "enqueue_analysis", type="echo", input={})
    assert claim(queue.worker(), "w1", uuid4(), types=["echo"]) == []
    assert call(queue.worker(), "resume_type", type="echo") == {"type": "echo", "paused": False, "changed": True}
    assert [job["id"] for job in claim(queue.worker(), "w1", uuid4(), types=["echo"])] == [str(waiting)]


def test_running_jobs_of_a_paused_type_go_on(queue: Queue) -> None:
    queue.new_type("echo")
    job_id, lease_id = queue.new_claimed_job(type="echo")
    call(queue.worker(), "pause_type", type="echo")
    answer = call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})
    assert answer["status"] == "completed"


def test_only_a_change_of_a_type_is_on_record_and_says_why(queue: Queue) -> None:
    queue.new_type("echo")
    operator = queue.session("service_role", user := uuid4())
    call(operator, "pause_type", type="echo", reason="provider is down")
    assert call(operator, "pause_type", type="echo")["changed"] is False
    call(operator, "resume_type", type="echo")
    actor = f"service_role {user}"
    assert audit(queue) == [
        (actor, "pause_type", {"type": "echo", "reason": "provider is down"}),
        (actor, "resume_type", {"type": "echo", "reason": None}),
    ]


@pytest.mark.parametrize("function", ["pause_type", "resume_type"])
def test_an_unknown_type_and_a_reason_nobody_reads_are_refused(queue: Queue, function: str) -> None:
    with refused("PT404", "unknown analysis type"):
        call(queue.worker(), function, type="nothing")
    for reason in ("", "x" * 501):
        with refused("PT400", "reason"):
            call(queue.worker(), function, type="medical_exam", reason=reason)


@pytest.mark.parametrize("status", ["pending", "processing"])
def test_anybodys_job_is_cancelled_and_somebody_is_on_record(queue: Queue, status: str) -> None:
    user = queue.new_user()
    job_id = queue.new_claimed_job(user_id=user)[0] if status == "processing" else queue.new_job(user_id=user)
    answer = call(queue.worker(), "cancel_job", job_id=job_id, reason="runs wild")
    assert answer == {"id": str(job_id), "status": "cancelled", "cancelled": True}
    assert queue.job(job_id)["status"] == "cancelled"
    details = {"job_id": str(job_id), "status": status, "reason": "runs wild"}
    assert audit(queue) == [("service_role", "cancel_job", details)]


def test_the_lease_of_a_cancelled_job_is_gone(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    call(queue.worker(), "cancel_job", job_id=job_id)
    answer = call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})
    assert (answer["lease"], answer["status"]) == ("lost", "cancelled")
    assert queue.attempt(job_id, lease_id)["outcome"] == "cancelled"


def new_ended_job(queue: Queue, function: str) -> UUID:
    job_id, lease_id = queue.new_claimed_job()
    more: dict[str, Any] = {"result": {}} if function == "complete_job" else {"error": ERROR, "retryable": False}
    call(queue.worker(), function, job_id=job_id, lease_id=lease_id, **more)
    return job_id


@pytest.mark.parametrize(("function", "status"), [("complete_job", "completed"), ("fail_job", "failed")])
def test_ended_jobs_stay_as_they_are(queue: Queue, function: str, status: str) -> None:
    job_id = new_ended_job(queue, function)
    before = queue.everything()
    answer = call(queue.worker(), "cancel_job", job_id=job_id)
    assert answer == {"id": str(job_id), "status": status, "cancelled": False}
    assert queue.everything() == before
    assert audit(queue) == []


def test_a_job_that_is_not_there_cannot_be_cancelled(queue: Queue) -> None:
    with refused("PT404", "job not found"):
        call(queue.worker(), "cancel_job", job_id=uuid4())


@pytest.fixture
def own(databases: Databases) -> Iterator[Queue]:
    """A database that may be spoilt."""
    with databases.copied("migrated") as name, psycopg.connect(databases.url(name), autocommit=True) as owner:
        queue = Queue(databases.url(name), owner)
        yield queue
        queue.close()


def described(queue: Queue) -> dict[str, Any]:
    answer: dict[str, Any] = call(queue.worker(), "describe_installation")
    return answer


def test_an_installation_is_described(own: Queue) -> None:
    answer = described(own)
    assert answer["postgres"] >= 150000
    assert answer["published"] == ["public.analysis_jobs"]
    assert answer["doorbell"] is True
    assert "20261126000500" in answer["migrations"]
    assert {"claim_job", "queue_stats", "describe_installation"} <= set(answer["callable"])
    assert answer["tables"]["analysis_jobs"]["row_security"] is True
    assert "analysis_jobs_ring_doorbell" in answer["tables"]["analysis_jobs"]["triggers"]
    row = own.owner.execute("select prosrc from pg_proc where proname = 'ring_doorbell'").fetchone()
    assert row is not None
    assert answer["functions"]["private.ring_doorbell"] == hashlib.sha256(row[0].encode()).hexdigest()


def test_what_was_changed_by_hand_shows(own: Queue) -> None:
    before = described(own)
    own.owner.execute("drop schema supabase_migrations cascade")
    own.owner.execute("alter table public.analysis_cache disable row level security")
    own.owner.execute("alter table public.analysis_jobs disable trigger analysis_jobs_ring_doorbell")
    own.owner.execute("revoke select on public.analysis_attempts from service_role")
    own.owner.execute("revoke execute on function public.queue_stats(integer) from service_role")
    own.owner.execute("alter publication supabase_realtime drop table public.analysis_jobs")
    after = described(own)
    assert (after["migrations"], after["published"]) == ([], [])
    assert after["tables"]["analysis_cache"]["row_security"] is False
    assert "analysis_jobs_ring_doorbell" not in after["tables"]["analysis_jobs"]["triggers"]
    assert after["tables"]["analysis_attempts"]["readable"] is False
    assert set(before["callable"]) - set(after["callable"]) == {"queue_stats"}
    assert after["functions"] == before["functions"]
