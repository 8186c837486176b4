"""A whole fleet that went deaf: the more workers sweep, the younger are the jobs that they find."""

from __future__ import annotations

from tests.chaos.fleet import Fleet
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered
from tests.chaos.stack import ChaosStack

JOBS = 400
RECONCILE_S = 8
NOTICED_S = 30.0


def test_workers_that_are_all_deaf_notice_it_although_they_sweep_often(stack: ChaosStack, fleet: Fleet) -> None:
    for _ in range(5):  # one after the other, so that they do not sweep at the same time
        fleet.start(1, RECONCILE_SECONDS=str(RECONCILE_S))
    fleet.wait_ready()
    with load(stack, JOBS, per_second=10) as arriving:
        stack.realtime_faults(deafen=True)
        fleet.wait_for(1, "events missed", NOTICED_S)
    assert_recovered(stack, fleet, arriving.ids, RECONCILE_S + 2)
