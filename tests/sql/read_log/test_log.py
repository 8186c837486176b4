"""The queue's log: every transition once, in order, and nothing of what jobs contain."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import ERROR, Queue, call, claim, refused


def read(queue: Queue, **arguments: Any) -> list[Any]:
    lines: list[Any] = call(queue.worker(), "read_log", **arguments)
    return lines


def events(queue: Queue, **arguments: Any) -> list[str]:
    return [line["event"] for line in read(queue, **arguments)]


def fail(queue: Queue, job_id: UUID, lease_id: UUID, **more: Any) -> None:
    call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=ERROR, **more)


def test_a_job_that_fails_once_and_then_completes_is_told_step_by_step(queue: Queue) -> None:
    queue.new_type("echo")
    job_id, lease_id = queue.new_claimed_job("w1", type="echo")
    fail(queue, job_id, lease_id, retryable=True, delay_seconds=0.0)
    queue.owner.execute("update public.analysis_jobs set scheduled_at = now()")
    second = uuid4()
    assert claim(queue.worker(), "w2", second, types=["echo"])
    call(queue.worker(), "complete_job", job_id=job_id, lease_id=second, result={})
    lines = read(queue)
    assert [(line["event"], line["attempt"], line["by"], line["code"]) for line in lines] == [
        ("enqueued", None, None, None),
        ("claimed", 1, "w1", None),
        ("attempt_failed", 1, "w1", "broken"),
        ("claimed", 2, "w2", None),
        ("completed", 2, None, None),
    ]
    assert {(line["job_id"], line["type"]) for line in lines} == {(str(job_id), "echo")}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_what_operators_did_to_a_job_is_among_its_lines(queue: Queue) -> None:
    queue.new_type("echo")
    job_id, lease_id = queue.new_claimed_job(type="echo")
    fail(queue, job_id, lease_id, retryable=False)
    call(queue.worker(), "replay_job", job_id=job_id)
    call(queue.worker(), "cancel_job", job_id=job_id, reason="not needed")
    call(queue.worker(), "pause_type", type="echo")
    lines = read(queue)
    # The former end is forgotten with the replay; the attempt and the operator's entry say what it was.
    assert [line["event"] for line in lines[2:4]] == ["attempt_failed", "replay_job"]
    assert {line["event"] for line in lines[4:6]} == {"cancelled", "cancel_job"}
    assert lines[-1]["event"] == "pause_type"
    assert lines[3]["by"] == "service_role"
    (cancel,) = (line for line in lines if line["event"] == "cancel_job")
    assert cancel["details"]["reason"] == "not needed"
    assert "pause_type" not in events(queue, job_id=job_id)
    assert "pause_type" in events(queue, type="echo")
    assert "pause_type" not in events(queue, type="medical_exam")


def test_a_job_of_a_dead_worker_was_lost(queue: Queue) -> None:
    queue.new_type("echo", max_attempts=5)
    call(queue.worker(), "heartbeat_worker", worker_id="w1")
    queue.new_claimed_job("w1", type="echo")
    queue.silence("w1", 60)
    call(queue.worker(), "reconcile_jobs")
    assert "attempt_lost" in events(queue)


def test_lines_are_chosen_by_job_type_status_and_time(queue: Queue) -> None:
    queue.new_type("echo")
    old = queue.new_job(type="echo", created_at="2026-01-01T00:00:00Z")
    exam = queue.new_job()
    done, lease_id = queue.new_claimed_job(type="echo", priority=100)
    call(queue.worker(), "complete_job", job_id=done, lease_id=lease_id, result={})

    def jobs(**arguments: Any) -> list[str]:
        return [line["job_id"] for line in read(queue, **arguments) if line["event"] == "enqueued"]

    assert jobs() == [str(exam), str(done)]
    assert jobs(since="2025-12-31") == [str(old), str(exam), str(done)]
    assert jobs(job_id=old) == [str(old)]
    assert jobs(type="medical_exam") == [str(exam)]
    assert events(queue, status="completed") == ["enqueued", "claimed", "completed"]
    assert events(queue, max_lines=2) == ["claimed", "completed"]


def test_no_line_says_what_a_job_contains(queue: Queue) -> None:
    queue.new_type("echo")
    job_id, lease_id = queue.new_claimed_job(type="echo", input={"text": "glicemia alta"})
    error = {"code": "broken", "message": "cannot read glicemia alta"}
    call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=error, retryable=False)
    assert "glicemia" not in json.dumps(read(queue))


@pytest.mark.parametrize("max_lines", [0, 10001])
def test_a_senseless_number_of_lines_is_refused(queue: Queue, max_lines: int) -> None:
    with refused("PT400", "max_lines"):
        read(queue, max_lines=max_lines)
