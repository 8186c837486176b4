"""Jobs that are cancelled while they run: each handler stops, and its slot is free for the next."""

from __future__ import annotations

from uuid import UUID

import psycopg

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import varied_load
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until
from tests.chaos.ways import BOTH_WAYS

JOBS = 200
ENDLESS = 5  # every so manieth job
SETTLED_S = 20.0
_CANCEL = """
select public.cancel_job(id, 'chaos') from public.analysis_jobs where status = 'processing' and id = any (%s)
"""
_CANCELLED = "select from public.analysis_jobs where status = 'cancelled' and id = any (%s)"


@BOTH_WAYS
def test_cancelled_jobs_stop_at_once_and_make_room_for_the_others(stack: ChaosStack, fleet: Fleet) -> None:
    """Heartbeats are too rare to tell of it: the announcement does."""
    fleet.start(2, HEARTBEAT_SECONDS="20", LEASE_SECONDS="50")
    fleet.wait_ready()
    with varied_load(stack, JOBS, 50, lambda n: {"seconds": 0.02 if n % ENDLESS else 40}) as arriving:
        endless = arriving.ids[::ENDLESS]
        with psycopg.connect(stack.variables.db_url, autocommit=True) as operator:
            operator.execute("set role service_role")
            wait_until("all that never end cancelled", lambda: _cancel(operator, endless) == len(endless), SETTLED_S)
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    fleet.wait_for(len(endless), "lease lost, attempt dropped", 5)
    print(assert_invariants(stack, arriving.ids, fleet.executions, cancelled=endless))


def _cancel(operator: psycopg.Connection, ids: list[UUID]) -> int:
    """Those of them that run now; returns how many are cancelled by now."""
    operator.execute(_CANCEL, (ids,))
    return operator.execute(_CANCELLED, (ids,)).rowcount
