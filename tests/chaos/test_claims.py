"""Narrow cases that the wide scenarios hit only sometimes."""

from __future__ import annotations

import signal

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import load
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until

CLAIM = "rpc/claim_job"


def test_jobs_that_arrive_while_a_claim_is_unanswered_are_claimed_with_its_answer(
    stack: ChaosStack, fleet: Fleet
) -> None:
    fleet.start(1, RECONCILE_SECONDS="30", LEASE_SECONDS="20")
    fleet.wait_ready()
    stack.rest_faults(cut=1, only="claim_job")
    with load(stack, 1, per_second=1) as first:
        pass
    claims = stack.rest_faults()["calls"][CLAIM]
    wait_until("the claim sent again", lambda: stack.rest_faults()["calls"][CLAIM] > claims, 5)
    with load(stack, 1, per_second=1) as second:
        pass
    claims = stack.rest_faults()["calls"][CLAIM]
    wait_until("the claim sent again", lambda: stack.rest_faults()["calls"][CLAIM] > claims + 1, 10)
    stack.rest_faults(cut=0)
    wait_until_settled(stack, first.ids + second.ids, 10)
    assert_invariants(stack, first.ids + second.ids, fleet.executions)


def test_a_worker_that_claims_a_job_again_which_it_still_runs_does_it_once(stack: ChaosStack, fleet: Fleet) -> None:
    (worker,) = fleet.start(1, CONCURRENCY="100", LEASE_SECONDS="2", RECONCILE_SECONDS="0.5")
    fleet.wait_ready()
    with load(stack, 50, per_second=1000, seconds=5) as arriving:
        pass
    wait_until("all running", lambda: len(worker.lines("claimed")) == 50, 10)
    worker.signal(signal.SIGSTOP)
    wait_until(
        "all rescued",
        lambda: not stack.query("select public.reconcile_jobs() from public.analysis_jobs where status = 'processing'"),
        10,
    )
    stack.rest_faults(delay_s=1, only="heartbeat_worker")
    worker.signal(signal.SIGCONT)
    wait_until_settled(stack, arriving.ids, 20)
    print(assert_invariants(stack, arriving.ids, fleet.executions))
