"""PostgreSQL that restarts under load, politely, at once, and by a SIGKILL."""

from __future__ import annotations

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import load
from tests.chaos.probes import wait_until_event_driven
from tests.chaos.stack import ChaosStack
from tests.chaos.ways import BOTH_WAYS

JOBS = 300
SETTLED_S = 30.0
EVENT_DRIVEN_S = 20.0


@BOTH_WAYS
@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_a_database_that_restarts_under_load_loses_nothing(mode: str, stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2)
    with load(stack, JOBS, per_second=40, seconds=0.1) as arriving:
        arriving.wait_for(0.3)
        stack.restart_postgres(mode)
    ids = arriving.ids + wait_until_event_driven(stack, fleet, EVENT_DRIVEN_S)
    wait_until_settled(stack, ids, SETTLED_S)
    print(assert_invariants(stack, ids, fleet.executions))
