"""Workers that die, that are stopped for too long, and that are replaced."""

from __future__ import annotations

import signal
from functools import partial

from tests.chaos.fleet import Fleet, WorkerProcess
from tests.chaos.invariants import assert_invariants, assert_no_attempt_spent, wait_until_settled
from tests.chaos.load import load
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until
from tests.chaos.ways import BOTH_WAYS

JOBS = 300
SETTLED_S = 15.0


@BOTH_WAYS
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


@BOTH_WAYS
def test_a_worker_that_was_stopped_for_longer_than_its_lease_changes_nothing_afterwards(
    stack: ChaosStack, fleet: Fleet
) -> None:
    late, _ = fleet.start(2, CONCURRENCY="20")
    with load(stack, 450, per_second=30, seconds=0.4) as arriving:  # they go on arriving until it is back twice
        for _ in range(2):
            wait_until("the worker busy", lambda: _ended(stack, late, None) >= 4, 20)
            lost = _ended(stack, late, "lost")
            late.signal(signal.SIGSTOP)
            wait_until("its jobs rescued", partial(_is_rescued_from, stack, late, lost), 15)
            completed = _ended(stack, late, "completed")
            late.signal(signal.SIGCONT)
            wait_until("it works again", partial(_has_completed_more, stack, late, completed), 15)
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    print(assert_invariants(stack, arriving.ids, fleet.executions))


def _ended(stack: ChaosStack, worker: WorkerProcess, outcome: str | None) -> int:
    """How many attempts of this worker ended so; None: not yet."""
    statement = """
        select count(*) as count from public.analysis_attempts where worker_id = %s and outcome is not distinct from %s
    """
    count: int = stack.query(statement, worker.id, outcome)[0]["count"]
    return count


def _is_rescued_from(stack: ChaosStack, worker: WorkerProcess, lost_before: int) -> bool:
    return _ended(stack, worker, None) == 0 and _ended(stack, worker, "lost") > lost_before


def _has_completed_more(stack: ChaosStack, worker: WorkerProcess, completed_before: int) -> bool:
    return _ended(stack, worker, "completed") > completed_before


@BOTH_WAYS
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
