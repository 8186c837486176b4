"""Workers that die, that are stopped for too long, and that are replaced."""

from __future__ import annotations

import signal
from uuid import UUID

from tests.chaos.fleet import Fleet, Line, WorkerProcess
from tests.chaos.invariants import assert_invariants, assert_no_attempt_spent, wait_until_settled
from tests.chaos.load import load
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until

JOBS = 300
SETTLED_S = 15.0


def test_jobs_of_killed_workers_are_done_by_others(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(3)
    with load(stack, JOBS, per_second=40, seconds=0.1) as arriving:
        for share in (0.2, 0.4, 0.6):
            arriving.wait_for(share)
            victim = fleet.alive()[0]
            victim.signal(signal.SIGKILL)
            fleet.launch()
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    print(assert_invariants(stack, arriving.ids, fleet.executions))


def test_a_worker_that_was_stopped_for_longer_than_its_lease_changes_nothing_afterwards(
    stack: ChaosStack, fleet: Fleet
) -> None:
    late, _ = fleet.start(2, CONCURRENCY="20")
    with load(stack, JOBS, per_second=40, seconds=0.2) as arriving:
        for _ in range(2):
            refused_before = len(_refused(late))
            wait_until("the worker busy", lambda: len(_held_by(stack, late)) >= 4, 20)
            late.signal(signal.SIGSTOP)
            held = _held_by(stack, late)
            wait_until("its jobs done by the other", lambda: _are_completed(stack, held), 15)  # noqa: B023
            late.signal(signal.SIGCONT)
            wait_until("its late answers refused", lambda: len(_refused(late)) > refused_before, 10)  # noqa: B023
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    assert summary.outcomes["lost"] > 0
    print(summary)


def _held_by(stack: ChaosStack, worker: WorkerProcess) -> list[UUID]:
    statement = "select id from public.analysis_jobs where status = 'processing' and leased_by = %s"
    return [row["id"] for row in stack.query(statement, worker.id)]


def _are_completed(stack: ChaosStack, ids: list[UUID]) -> bool:
    statement = "select from public.analysis_jobs where id = any (%s) and status = 'completed'"
    return len(stack.query(statement, ids)) == len(ids)


def _refused(worker: WorkerProcess) -> list[Line]:
    return worker.lines("lease lost before settling") + worker.lines("lease lost, attempt dropped")


def test_a_deploy_spends_no_attempt(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(3, GRACE_SECONDS="0.2")
    with load(stack, JOBS, per_second=30, seconds=0.4) as arriving:
        while arriving.arrived < JOBS:
            old = fleet.alive()[0]
            fleet.start(1, GRACE_SECONDS="0.2")
            old.signal(signal.SIGTERM)
            assert old.process.wait(15) == 0
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    assert_no_attempt_spent(stack)
    assert summary.outcomes["released"] > 0
    print(summary)
