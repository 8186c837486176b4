"""The list of jobs: its order, its filters, its pages, and what it never shows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.sql.factories import ERROR, Queue, call, refused

STATUSES = ["pending", "processing", "completed", "failed", "cancelled"]


def listed(queue: Queue, **filters: Any) -> list[str]:
    return [job["id"] for job in call(queue.worker(), "list_jobs", **filters)["jobs"]]


def new_job(queue: Queue, status: str = "pending", code: str = "broken", **columns: Any) -> str:
    """Something happens to it later than to all before it."""
    columns = {"type": "echo"} | columns
    if status == "pending":
        return str(queue.new_job(**columns))
    if status == "cancelled":
        job_id = queue.new_job(**columns)
        call(queue.worker(), "cancel_job", job_id=job_id)
        return str(job_id)
    job_id, lease_id = queue.new_claimed_job(**columns)
    lease = {"job_id": job_id, "lease_id": lease_id}
    if status == "completed":
        call(queue.worker(), "complete_job", **lease, result={"answer": 42})
    if status == "failed":
        call(queue.worker(), "fail_job", **lease, error=ERROR | {"code": code}, retryable=False)
    return str(job_id)


@pytest.fixture
def jobs(queue: Queue) -> dict[str, str]:
    """One of each status; pending last, since a claim would take it."""
    queue.new_type("echo")
    return {status: new_job(queue, status) for status in [*STATUSES[1:], "pending"]}


def test_what_changed_last_comes_first(queue: Queue, jobs: dict[str, str]) -> None:
    assert listed(queue) == [jobs[status] for status in ("pending", *reversed(STATUSES[1:]))]


@pytest.mark.parametrize("status", STATUSES)
def test_only_jobs_of_a_status(queue: Queue, jobs: dict[str, str], status: str) -> None:
    assert listed(queue, status=status) == [jobs[status]]


def test_filters_mean_the_same_for_one_user_and_for_all(queue: Queue) -> None:
    queue.new_type("echo")
    queue.new_type("other")
    user = queue.new_user()
    own: dict[str, Any] = {"user_id": user}
    broken, slow = new_job(queue, "failed", **own), new_job(queue, "failed", code="slow", **own)
    done = new_job(queue, "completed", **own)
    other = new_job(queue, "completed", type="other", **own)
    for filters, ids in [
        ({}, [other, done, slow, broken]),
        ({"type": "echo"}, [done, slow, broken]),
        ({"status": "failed"}, [slow, broken]),
        ({"error_code": "slow"}, [slow]),
        ({"type": "other", "status": "failed"}, []),
        ({"since": "2100-01-01"}, []),
    ]:
        assert listed(queue, **filters) == ids, filters
        assert listed(queue, **filters, **own) == ids, filters
    assert listed(queue, user_id=queue.new_user()) == []


@pytest.mark.parametrize("of_one_user", [True, False])
def test_pages_follow_one_another_without_a_gap_though_ends_are_the_same(queue: Queue, of_one_user: bool) -> None:
    queue.new_type("echo")
    user = queue.new_user()
    ids = {new_job(queue, status, user_id=user) for status in ("completed", "failed", "cancelled") for _ in range(3)}
    queue.owner.execute("update public.analysis_jobs set finished_at = now()")
    seen: list[str] = []
    at: dict[str, Any] = {}
    while True:
        filters = at | ({"user_id": user} if of_one_user else {})
        page = call(queue.worker(), "list_jobs", max_jobs=2, **filters)
        seen += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            break
        at = {"before_at": page["next"]["at"], "before_id": UUID(page["next"]["id"])}
    assert len(seen) == len(ids)
    assert set(seen) == ids


def test_no_job_tells_what_it_contains(queue: Queue) -> None:
    queue.new_type("echo")
    new_job(queue, "completed", input={"text": "secret"})
    (job,) = call(queue.worker(), "list_jobs")["jobs"]
    assert not {"input", "result", "partial"} & set(job)


@pytest.mark.parametrize("most", [0, 201])
def test_a_page_is_bounded(queue: Queue, most: int) -> None:
    with refused("PT400", "max_jobs"):
        call(queue.worker(), "list_jobs", max_jobs=most)
