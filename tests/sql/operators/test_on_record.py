"""For whom a service acts, how many jobs run at a time, looks at what jobs contain: what is on record afterwards."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.sql.factories import ERROR, Queue, Session, call, claim, refused


def audit(queue: Queue) -> list[Any]:
    return queue.owner.execute("select actor, action, details from public.analysis_audit order by id").fetchall()


def acting_for(session: Session, somebody: str) -> Session:
    headers = json.dumps({"x-analysis-actor": somebody})
    session.execute("select set_config('request.headers', %s, false)", [headers])
    return session


def test_a_service_says_for_whom_it_acts(queue: Queue) -> None:
    call(acting_for(queue.worker(), "dashboard:ana@example.com"), "pause_type", type="meal_plan")
    assert [actor for actor, *_ in audit(queue)] == ["service_role dashboard:ana@example.com"]


@pytest.mark.parametrize(("said", "noted"), [("", "service_role"), ("x" * 300, f"service_role {'x' * 200}")])
def test_what_it_says_is_bounded(queue: Queue, said: str, noted: str) -> None:
    call(acting_for(queue.worker(), said), "pause_type", type="meal_plan")
    assert [actor for actor, *_ in audit(queue)] == [noted]


def test_nobody_else_is_believed(queue: Queue) -> None:
    call(acting_for(queue.session("postgres"), "dashboard:ana@example.com"), "pause_type", type="meal_plan")
    assert [actor for actor, *_ in audit(queue)] == ["postgres"]


def test_concurrency_holds_from_the_next_claim_on_and_is_on_record(queue: Queue) -> None:
    queue.new_type("echo")
    for _ in range(3):
        queue.new_job(type="echo", user_id=queue.new_user())
    operator = queue.worker()
    answer = call(
        operator, "set_type_concurrency", type="echo", concurrency=2, concurrency_per_user=None, reason="slow"
    )
    assert answer == {"type": "echo", "concurrency": 2, "concurrency_per_user": None, "changed": True}
    assert len(claim(operator, "w1", uuid4(), types=["echo"], max_jobs=10)) == 2
    call(operator, "set_type_concurrency", type="echo", concurrency=None, concurrency_per_user=1)
    assert len(claim(operator, "w1", uuid4(), types=["echo"], max_jobs=10)) == 1
    nothing, two = {"concurrency": None, "concurrency_per_user": None}, {"concurrency": 2, "concurrency_per_user": None}
    one_each = {"concurrency": None, "concurrency_per_user": 1}
    assert [details for *_, details in audit(queue)] == [
        {"type": "echo", "reason": "slow", "before": nothing, "after": two},
        {"type": "echo", "reason": None, "before": two, "after": one_each},
    ]


def test_more_jobs_of_one_user_run_once_they_may(queue: Queue) -> None:
    queue.new_type("echo", concurrency_per_user=1)
    user = queue.new_user()
    for _ in range(3):
        queue.new_job(type="echo", user_id=user)
    operator = queue.worker()
    assert len(claim(operator, "w1", uuid4(), types=["echo"], max_jobs=10)) == 1
    call(operator, "set_type_concurrency", type="echo", concurrency=None, concurrency_per_user=3)
    call(operator, "reconcile_jobs")
    claimed = [claim(operator, "w1", uuid4(), types=["echo"], max_jobs=10) for _ in range(2)]
    assert sum(map(len, claimed)) == 2


def test_limits_that_are_so_already_leave_no_record(queue: Queue) -> None:
    queue.new_type("echo", concurrency=2)
    answer = call(queue.worker(), "set_type_concurrency", type="echo", concurrency=2, concurrency_per_user=None)
    assert answer["changed"] is False
    assert audit(queue) == []


@pytest.mark.parametrize(("concurrency", "per_user"), [(0, None), (100_001, None), (None, 0)])
def test_a_limit_that_cannot_be_is_refused(queue: Queue, concurrency: int | None, per_user: int | None) -> None:
    with refused("PT400", "between 1 and 100000"):
        call(
            queue.worker(),
            "set_type_concurrency",
            type="meal_plan",
            concurrency=concurrency,
            concurrency_per_user=per_user,
        )


def test_limits_of_no_type_and_a_reason_nobody_reads_are_refused(queue: Queue) -> None:
    with refused("PT404", "unknown analysis type"):
        call(queue.worker(), "set_type_concurrency", type="nothing", concurrency=1, concurrency_per_user=1)
    with refused("PT400", "reason"):
        call(
            queue.worker(),
            "set_type_concurrency",
            type="meal_plan",
            concurrency=1,
            concurrency_per_user=1,
            reason="x" * 501,
        )


def test_who_looks_at_what_a_job_contains_is_on_record(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job(input={"text": "arroz"})
    operator = acting_for(queue.worker(), "dashboard:token")
    contents = {"id": str(job_id), "input": {"text": "arroz"}, "result": None, "partial": None}
    assert call(operator, "reveal_job", job_id=job_id, reason="the user asked") == contents
    call(operator, "complete_job", job_id=job_id, lease_id=lease_id, result={"kcal": 130})
    assert call(operator, "reveal_job", job_id=job_id)["result"] == {"kcal": 130}
    seen = [{"job_id": str(job_id), "reason": reason} for reason in ("the user asked", None)]
    assert audit(queue) == [("service_role dashboard:token", "reveal_job", details) for details in seen]


def test_a_look_at_nothing_leaves_no_record(queue: Queue) -> None:
    with refused("PT404", "job not found"):
        call(queue.worker(), "reveal_job", job_id=uuid4())
    with refused("PT400", "reason"):
        call(queue.worker(), "reveal_job", job_id=queue.new_job(), reason="")
    assert audit(queue) == []


def test_as_many_jobs_are_counted_as_would_be_replayed(queue: Queue) -> None:
    queue.new_type("echo")
    for code in ("broken", "broken", "slow"):
        job_id, lease_id = queue.new_claimed_job(type="echo")
        error = ERROR | {"code": code}
        call(queue.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=error, retryable=False)
    cancelled = queue.new_job()
    call(queue.worker(), "cancel_job", job_id=cancelled)
    queue.new_job(type="echo")
    operator = queue.worker()
    for filters, count in [
        ({}, 3),
        ({"error_code": "broken"}, 2),
        ({"type": "medical_exam"}, 0),
        ({"status": "cancelled"}, 1),
        ({"since": "2100-01-01"}, 0),
    ]:
        counted = call(operator, "count_replayable_jobs", **filters)
        assert counted == {"matching": count, "and_more": False}, filters
        with operator.transaction(force_rollback=True):
            assert call(operator, "replay_jobs", **filters) == {"replayed": count}
    with refused("PT400", "status"):
        call(operator, "count_replayable_jobs", status="completed")
