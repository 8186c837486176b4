"""Realtime that goes away, comes back, refuses, or says nothing."""

from __future__ import annotations

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import wait_until_settled
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered
from tests.chaos.stack import ChaosStack

JOBS = 300
RECONCILE_S = 8
NOTICED_S = RECONCILE_S + 5.0
SLACK_S = 2.0


def test_a_realtime_that_restarts_again_and_again_loses_nothing(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2)
    fleet.wait_ready()
    with load(stack, JOBS, per_second=40) as arriving:
        for times, drop in ((2, "close"), (4, "abort"), (6, "close")):
            stack.realtime_faults(refuse=True, drop=drop)
            fleet.wait_for(times, "realtime", 15, state="degraded")
            stack.realtime_faults(refuse=False)
            fleet.wait_for(times + 2, "realtime", 15, state="ready")
    assert_recovered(stack, fleet, arriving.ids, 1 + SLACK_S)


def test_a_realtime_that_closes_every_channel_for_a_while_loses_nothing(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2)
    fleet.wait_ready()
    with load(stack, JOBS, per_second=40) as arriving:
        stack.realtime_faults(close_joins=True, drop="close")
        fleet.wait_for(2, "realtime", 15, state="degraded")
    stack.realtime_faults(close_joins=False)
    assert_recovered(stack, fleet, arriving.ids, 1 + SLACK_S)


def test_channels_that_went_deaf_for_good_are_found_and_made_anew(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(1, RECONCILE_SECONDS=str(RECONCILE_S))
    fleet.wait_ready()
    with load(stack, JOBS, per_second=25) as arriving:
        stack.realtime_faults(deafen=True)
        fleet.wait_for(1, "events missed", NOTICED_S)
    assert_recovered(stack, fleet, arriving.ids, RECONCILE_S + SLACK_S)


def test_a_realtime_that_never_delivers_makes_no_job_wait_longer_than_the_reconciler(
    stack: ChaosStack, fleet: Fleet
) -> None:
    fleet.start(1, RECONCILE_SECONDS=str(RECONCILE_S))
    fleet.wait_ready()
    stack.realtime_faults(silent=True)
    with load(stack, JOBS, per_second=20) as arriving:
        fleet.wait_for(1, "events missed", NOTICED_S)
    wait_until_settled(stack, arriving.ids, RECONCILE_S + SLACK_S)
    stack.realtime_faults(silent=False)
    assert_recovered(stack, fleet, arriving.ids, RECONCILE_S + SLACK_S)
