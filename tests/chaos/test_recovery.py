"""How soon jobs are picked up by default settings without Realtime, and by its events once it is back."""

from __future__ import annotations

import time

from tests.chaos.fleet import DEFAULTS, Fleet
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered, wait_until_event_driven, waits
from tests.chaos.stack import ChaosStack

JOBS = 300
PICKUP_P95_S = 2.0
BACK_S = 10.0


def test_without_realtime_jobs_are_picked_up_within_two_seconds_and_by_events_soon_after_it_is_back(
    stack: ChaosStack, fleet: Fleet
) -> None:
    fleet.start(2, **DEFAULTS)
    fleet.wait_ready()
    stack.realtime_faults(refuse=True, drop="abort")
    fleet.wait_for(2, "realtime", 10, state="degraded")
    with load(stack, JOBS, per_second=40) as arriving:
        pass
    picked_up = waits(stack)
    p95 = picked_up[int(len(picked_up) * 0.95)]
    stack.realtime_faults(refuse=False)
    back_at = time.monotonic()
    probes = wait_until_event_driven(stack, fleet, BACK_S)
    first_s = time.monotonic() - back_at
    print(f"without Realtime p95 {p95:.2f} s; {first_s:.1f} s after it is back the first pickup by an event")
    assert_recovered(stack, fleet, arriving.ids + probes, 3)
    assert p95 < PICKUP_P95_S
