"""A key that is exchanged while workers run, and comes late."""

from __future__ import annotations

from tests.chaos.fleet import Fleet
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered
from tests.chaos.stack import ChaosStack

JOBS = 300
REFUSED = "realtime refused the key, polling until it takes it"
SETTLED_S = 25.0


def test_a_key_that_is_exchanged_late_costs_no_job_and_no_attempt(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.key_file = fleet.directory / "key"
    fleet.key_file.write_text(stack.variables.secret_key)
    fleet.start(2, LEASE_SECONDS="20")
    fleet.wait_ready()
    with load(stack, JOBS, per_second=40) as arriving:
        arriving.wait_for(0.3)
        fleet.key_file.write_text("sb_secret_of_yesterday")
        stack.realtime_faults(drop="close")
        fleet.wait_for(2, REFUSED, 10)
        assert len(fleet.alive()) == 2
        fleet.key_file.write_text(stack.variables.secret_key)
    assert_recovered(stack, fleet, arriving.ids, SETTLED_S)
    assert stack.query("select from public.analysis_attempts where outcome <> 'completed'") == []
