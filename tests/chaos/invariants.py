"""What must be true of the stored rows after any chaos: no job lost, none settled twice, every job at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until

_TERMINAL = ("completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Summary:
    """How a scenario went. `executions` counts starts of the handler, `outcomes` ends of leases."""

    jobs: int
    executions: int
    outcomes: Counter[str]

    def __str__(self) -> str:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        return f"{self.jobs} jobs, {self.executions} executions, attempts: {outcomes}"


def wait_until_settled(stack: ChaosStack, ids: Collection[UUID], within_s: float) -> None:
    """Until every one of these jobs is at its end."""
    statement = "select count(*) as open from public.analysis_jobs where id = any (%s) and status <> all (%s)"
    wait_until(
        "every job settled",
        lambda: stack.query(statement, list(ids), list(_TERMINAL))[0]["open"] == 0,
        within_s,
    )


def assert_invariants(
    stack: ChaosStack, ids: Collection[UUID], executions: Path, cancelled: Collection[UUID] = ()
) -> Summary:
    """Check all rows of these jobs, `cancelled` among them, and the file in which handlers noted that they started."""
    _assert_each_ended(stack, ids, set(cancelled))
    _assert_settled_once(stack)
    outcomes = _assert_attempts_add_up(stack)
    started = [tuple(line.split()[:2]) for line in executions.read_text().splitlines()]
    _assert_executed_under_leases(stack, started)
    return Summary(len(ids), len(started), outcomes)


def assert_no_attempt_spent(stack: ChaosStack) -> None:
    """Every job was done in its first attempt; attempts that were given back do not count."""
    spent = stack.query("select id, attempt from public.analysis_jobs where attempt <> 1")
    assert spent == []
    lost = stack.query("select * from public.analysis_attempts where outcome not in ('completed', 'released')")
    assert lost == []


def _assert_each_ended(stack: ChaosStack, ids: Collection[UUID], cancelled: Collection[UUID]) -> None:
    rows = stack.query("select id, status, attempt, max_attempts, error from public.analysis_jobs")
    assert {row["id"] for row in rows} == set(ids), "a job is lost, or one came from nowhere"
    assert [row for row in rows if row["status"] != ("cancelled" if row["id"] in cancelled else "completed")] == []
    assert [row for row in rows if not 1 <= row["attempt"] <= row["max_attempts"]] == []
    assert stack.query("select * from public.analysis_queue") == []


def _assert_settled_once(stack: ChaosStack) -> None:
    statement = """
        select job_id, array_agg(old_status || ' -> ' || new_status order by at) as transitions
        from chaos.transitions
        group by job_id
        having count(*) filter (where new_status in ('completed', 'cancelled')) <> 1
            or bool_or(old_status in ('completed', 'cancelled'))
    """
    assert stack.query(statement) == [], "a job was settled twice"


def _assert_attempts_add_up(stack: ChaosStack) -> Counter[str]:
    """Each job has one attempt that ended as it did, whose result it keeps, and none that is still open."""
    statement = """
        select job.id, job.result, array_agg(attempt.outcome order by attempt.started_at) as outcomes
        from public.analysis_jobs as job
        join public.analysis_attempts as attempt on attempt.job_id = job.id
        group by job.id
        having count(*) filter (where attempt.outcome = job.status) <> 1
            or count(*) filter (where attempt.outcome in ('completed', 'cancelled')) <> 1
            or bool_or(attempt.outcome is null)
            or bool_or(attempt.outcome = 'completed' and attempt.lease_id::text <> job.result ->> 'lease_id')
    """
    assert stack.query(statement) == []
    rows = stack.query("select outcome, count(*) as count from public.analysis_attempts group by outcome")
    return Counter({row["outcome"]: row["count"] for row in rows})


def _assert_executed_under_leases(stack: ChaosStack, started: Collection[tuple[str, ...]]) -> None:
    """A handler started at most once for each lease, and never without one."""
    assert [pair for pair, count in Counter(started).items() if count > 1] == [], "one lease was executed twice"
    rows = stack.query("select job_id::text, lease_id::text from public.analysis_attempts")
    assert set(started) <= {(row["job_id"], row["lease_id"]) for row in rows}
