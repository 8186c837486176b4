"""get_analysis_status: all that the owner may know, and nothing for anybody else."""

from __future__ import annotations

from uuid import uuid4

from tests.sql.factories import ERROR, Queue, call, refused


def test_the_owner_sees_the_job_without_its_lease(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    call(queue.worker(), "report_progress", job_id=job_id, lease_id=lease_id, progress=0.5, phase="reading")
    job = queue.job(job_id)
    assert call(queue.user(user_id), "get_analysis_status", job_id=job_id) == {
        "id": str(job_id),
        "type": "medical_exam",
        "status": "processing",
        "progress": 0.5,
        "phase": "reading",
        "partial": None,
        "result": None,
        "error": None,
        "attempt": 1,
        "max_attempts": 3,
        "cached": False,
        "scheduled_at": job["scheduled_at"],
        "created_at": job["created_at"],
        "started_at": job["started_at"],
        "finished_at": None,
        "attempts": [{"attempt": 1, "outcome": None, "started_at": job["started_at"], "finished_at": None}],
    }


def test_the_owner_sees_the_result(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={"x": 1})
    status = call(queue.user(user_id), "get_analysis_status", job_id=job_id)
    assert (status["status"], status["result"], status["progress"]) == ("completed", {"x": 1}, 1)
    assert status["finished_at"] == queue.job(job_id)["finished_at"]


def test_the_owner_sees_the_error_without_its_internals(queue: Queue) -> None:
    user_id = queue.new_user()
    job_id, lease_id = queue.new_claimed_job(user_id=user_id)
    error = ERROR | {"trace": "secret"}
    call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=error, retryable=False)
    status = call(queue.user(user_id), "get_analysis_status", job_id=job_id)
    assert (status["status"], status["error"]) == ("failed", ERROR | {"retryable": False})


def test_a_foreign_job_looks_like_none(queue: Queue) -> None:
    job_id = queue.new_job(user_id=queue.new_user())
    job_of_nobody = queue.new_job()
    for session in (queue.user(queue.new_user()), queue.session("authenticated")):
        for wanted in (job_id, job_of_nobody, uuid4()):
            with refused("PT404", "job not found"):
                call(session, "get_analysis_status", job_id=wanted)


def test_a_service_sees_every_job(queue: Queue) -> None:
    job_id = queue.new_job(user_id=queue.new_user())
    assert call(queue.worker(), "get_analysis_status", job_id=job_id)["status"] == "pending"


def test_it_runs_in_a_read_only_transaction(queue: Queue) -> None:
    job_id, worker = queue.new_job(), queue.worker()
    worker.execute("set default_transaction_read_only = on")
    assert call(worker, "get_analysis_status", job_id=job_id)["id"] == str(job_id)
