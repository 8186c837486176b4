"""The largest rows that the queue takes, and many at once."""

from __future__ import annotations

from collections import Counter

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import varied_load
from tests.chaos.proxy import FaultProxy
from tests.chaos.stack import ChaosStack
from tests.chaos.ways import BOTH_WAYS

JOBS = 300
SETTLED_S = 30.0
LARGEST = 524_000  # bytes of an input, and of a result: together they are as much as Realtime carries


def test_the_largest_jobs_and_many_at_once_are_done(stack: ChaosStack, fleet: Fleet) -> None:
    sizes = {0: LARGEST, 10: 250_000}
    fleet.start(2)
    fleet.wait_ready()
    with varied_load(stack, JOBS, 10_000, lambda n: {"filler": "x" * sizes.get(n % 20, 10)}) as arriving:
        pass
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    print(assert_invariants(stack, arriving.ids, fleet.executions))
    rows = stack.query("select length(result ->> 'filler') as size from public.analysis_jobs")
    assert Counter(row["size"] for row in rows) == {LARGEST: JOBS / 20, 250_000: JOBS / 20, 10: JOBS * 0.9}


@BOTH_WAYS
def test_large_results_of_the_same_moment_get_through_a_network_that_is_slow_for_them(
    stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet
) -> None:
    """All of them in one call would take 15 s, and a call is given up after ten."""
    distant_fleet.start(1, CONCURRENCY="50", LEASE_SECONDS="30")
    distant_fleet.wait_ready()
    proxy.latency_s = 0.05
    with varied_load(stack, 50, 10_000, lambda _: {"seconds": 0.5, "swell": 400 * 1024}) as arriving:
        pass
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    summary = assert_invariants(stack, arriving.ids, distant_fleet.executions)
    assert summary.executions == 50
    assert distant_fleet.lines("settlement not answered, sending again") == []
