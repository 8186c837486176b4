"""Many workers hear every announcement: how often do they ask in vain, and does any job go to two?"""

from __future__ import annotations

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, assert_no_attempt_spent, wait_until_settled
from tests.chaos.load import load
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until

WORKERS = 10
JOBS = 1000
SETTLED_S = 20.0
CLAIM = "rpc/claim_job"
RECONCILE = "rpc/reconcile_jobs"
MOST_CLAIMS_PER_JOB = 1.5


def test_a_thousand_single_jobs_go_to_one_of_ten_workers_each(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(WORKERS, HEARTBEAT_SECONDS="8", LEASE_SECONDS="25", RECONCILE_SECONDS="30")
    fleet.wait_ready()
    wait_until("all know each other", lambda: stack.rest_faults()["calls"].get(RECONCILE, 0) >= 2 * WORKERS, 15)
    before = stack.rest_faults()["calls"].get(CLAIM, 0)
    with load(stack, JOBS, per_second=50, seconds=0.05) as arriving:
        pass
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    claims = stack.rest_faults()["calls"][CLAIM] - before
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    print(f"{summary}; {claims / JOBS:.2f} claims per job")
    assert summary.executions == JOBS
    assert claims / JOBS <= MOST_CLAIMS_PER_JOB
    assert_no_attempt_spent(stack)
