"""analysis_worker, the role: enough for a whole life of jobs."""

from __future__ import annotations

from uuid import uuid4

import psycopg

from tests.databases import Databases
from tests.sql.factories import ERROR, Queue, call, claim


def test_a_worker_does_all_its_work_under_its_own_role(queue: Queue) -> None:
    worker, lease_id = queue.session("analysis_worker"), uuid4()
    jobs = [queue.new_job(user_id=queue.new_user()) for _ in range(5)]
    call(worker, "heartbeat_worker", worker_id="w1", state={"lease_seconds": 25})
    claimed = claim(worker, "w1", lease_id, max_jobs=5)
    assert {job["id"] for job in claimed} == {str(job_id) for job_id in jobs}
    completed, failed, deferred, released, held = ({"job_id": job_id, "lease_id": lease_id} for job_id in jobs)
    call(worker, "report_progress", **completed, progress=0.5)
    call(worker, "complete_job", **completed, result={"x": 1})
    call(worker, "fail_job", **failed, error=ERROR, retryable=False)
    call(worker, "defer_job", **deferred, delay_seconds=60)
    call(worker, "release_job", **released)
    assert call(worker, "reconcile_jobs")["ran"] is True
    assert call(worker, "deregister_worker", worker_id="w1")["released"] == 1
    assert [queue.job(job_id)["status"] for job_id in jobs] == ["completed", "failed", "pending", "pending", "pending"]
    assert queue.job(held["job_id"])["attempt"] == 0


def test_the_api_may_take_the_workers_role(databases: Databases, queue: Queue) -> None:
    database = psycopg.conninfo.conninfo_to_dict(queue.url)["dbname"]
    with psycopg.connect(databases.url(str(database), "authenticator")) as session:
        session.execute("set role analysis_worker")
        assert session.execute("select public.heartbeat_worker('w1')").fetchone() == ({"lost": []},)
