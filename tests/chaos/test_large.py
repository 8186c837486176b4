"""The largest rows that the queue takes, and many at once."""

from __future__ import annotations

from collections import Counter

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import varied_load
from tests.chaos.stack import ChaosStack

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
