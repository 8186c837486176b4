"""REST that answers with errors, or does what it was asked and never says so; and everything at the same time."""

from __future__ import annotations

import signal

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import load
from tests.chaos.probes import wait_until_event_driven
from tests.chaos.stack import ChaosStack

JOBS = 300
SETTLED_S = 30.0
EVENT_DRIVEN_S = 20.0


def test_answers_lost_after_the_commit_and_errors_before_it_lose_nothing(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2, CONCURRENCY="20", LEASE_SECONDS="10")
    stack.rest_faults(fail=0.2, cut=0.2)
    with load(stack, JOBS, per_second=30) as arriving:
        fleet.wait_for(JOBS // 10, "settlement not answered, sending again", 60)
    stack.rest_faults(fail=0, cut=0)
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    print(summary)
    assert summary.executions == summary.jobs, "a call sent again cost an attempt"


def test_a_rest_layer_that_is_away_for_seconds_costs_no_attempt(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2, LEASE_SECONDS="10")
    with load(stack, JOBS, per_second=40) as arriving:
        arriving.wait_for(0.3)
        stack.rest_faults(fail=1)
        arriving.wait_for(0.6)
        stack.rest_faults(fail=0)
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    print(summary)
    assert summary.executions == summary.jobs


def test_everything_at_once_loses_nothing(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(3)
    stack.rest_faults(fail=0.1, cut=0.1)
    with load(stack, JOBS, per_second=30, seconds=0.1) as arriving:
        arriving.wait_for(0.2)
        stack.realtime_faults(refuse=True, drop="abort")
        fleet.alive()[0].signal(signal.SIGKILL)
        stack.restart_postgres("immediate")
        fleet.launch()
        arriving.wait_for(0.5)
        stopped = fleet.alive()[0]
        stopped.signal(signal.SIGSTOP)
        stack.realtime_faults(refuse=False, close_joins=True)
        arriving.wait_for(0.8)
        stopped.signal(signal.SIGCONT)
    stack.heal()
    ids = arriving.ids + wait_until_event_driven(stack, fleet, EVENT_DRIVEN_S)
    wait_until_settled(stack, ids, SETTLED_S)
    print(assert_invariants(stack, ids, fleet.executions))
