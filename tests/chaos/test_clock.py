"""The wall clock of workers jumps, as after sleep or where somebody sets it right."""

from __future__ import annotations

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_no_attempt_spent
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered
from tests.chaos.stack import ChaosStack

JOBS = 300
JUMPED = "the clock jumped, connecting anew"
NOTICED_S = 10.0


def test_a_clock_that_jumps_ahead_and_back_costs_no_attempt(stack: ChaosStack, fleet: Fleet) -> None:
    """Sleep cannot be told from it: connections are made anew, and nothing else happens."""
    fleet.start(2)
    fleet.wait_ready()
    with load(stack, JOBS, per_second=20) as arriving:
        arriving.wait_for(0.1)
        fleet.clock.write_text("7200")
        fleet.wait_for(2, JUMPED, NOTICED_S)
        arriving.wait_for(0.6)
        fleet.clock.write_text("-86400")
        fleet.wait_for(4, JUMPED, NOTICED_S)
    assert_recovered(stack, fleet, arriving.ids, 4)
    assert_no_attempt_spent(stack)
