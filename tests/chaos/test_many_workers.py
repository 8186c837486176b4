"""Many workers hear every announcement: how often do they ask in vain, and does any job go to two?"""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from supabase_local.temporary import free_port
from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, assert_no_attempt_spent, wait_until_settled
from tests.chaos.load import load
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until
from tests.chaos.ways import BOTH_WAYS

WORKERS = 10
JOBS = 1000
SETTLED_S = 20.0
MOST_CLAIMS_PER_JOB = 1.5


@BOTH_WAYS
def test_a_thousand_single_jobs_go_to_one_of_ten_workers_each(stack: ChaosStack, fleet: Fleet) -> None:
    ports = [free_port() for _ in range(WORKERS)]
    settings = {"HEARTBEAT_SECONDS": "8", "LEASE_SECONDS": "25", "RECONCILE_SECONDS": "30"}
    fleet.at_work([fleet.launch(PORT=str(port), **settings) for port in ports])
    fleet.wait_ready()
    wait_until("all know each other", lambda: min(_calls(port, "reconcile_jobs") for port in ports) >= 2, 15)
    before = sum(_calls(port, "claim_job") for port in ports)
    with load(stack, JOBS, per_second=50, seconds=0.05) as arriving:
        pass
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    claims = sum(_calls(port, "claim_job") for port in ports) - before
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    print(f"{summary}; {claims / JOBS:.2f} claims per job")
    assert summary.executions == JOBS
    assert claims / JOBS <= MOST_CLAIMS_PER_JOB
    assert_no_attempt_spent(stack)


def _calls(port: int, function: str) -> float:
    """How often the worker of this port has asked the queue for this."""
    page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10, trust_env=False).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "analysis_worker_queue_calls_total" and sample.labels["function"] == function
    )
