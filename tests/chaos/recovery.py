"""`python -m tests.chaos.recovery`: how soon a worker with default settings recovers, and what an idle one costs.

Takes about seven minutes. Each line is measured on real processes; the goals stand beside the numbers.
"""

from __future__ import annotations

import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.chaos.fleet import DEFAULTS, Fleet, running_fleet
from tests.chaos.load import load
from tests.chaos.probes import wait_until_event_driven, waits
from tests.chaos.stack import ChaosStack, chaos_stack
from tests.chaos.waiting import wait_until

_IDLE_S = 60


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="analysis-chaos-") as name:
        path = Path(name)
        path.chmod(0o711)
        with chaos_stack(path) as stack:
            for measure in (idle, healthy, dead_worker, deaf, short_outage, long_outage):
                with _workers(stack) as fleet:
                    measure(stack, fleet)


def idle(stack: ChaosStack, fleet: Fleet) -> None:
    (worker,) = fleet.start(1, **DEFAULTS)
    fleet.wait_ready()
    wait_until("it looked round", lambda: stack.rest_faults()["calls"].get("rpc/reconcile_jobs", 0) >= 2, 15)
    process = psutil.Process(worker.process.pid)
    calls, cpu = _calls(stack), sum(process.cpu_times()[:2])
    time.sleep(_IDLE_S)
    share = (sum(process.cpu_times()[:2]) - cpu) / _IDLE_S
    memory = process.memory_info().rss / 2**20
    requests = _calls(stack) - calls
    _say(f"idle: {requests} requests in {_IDLE_S} s (below 6), {share:.2%} CPU (below 1 %), {memory:.0f} MiB")


def healthy(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2, **DEFAULTS)
    fleet.wait_ready()
    _say(f"pickup, all well: {_pickups(stack)}")


def dead_worker(stack: ChaosStack, fleet: Fleet) -> None:
    """The job of a worker killed while it runs, until another worker runs it."""
    victim, _ = fleet.start(2, **DEFAULTS, CONCURRENCY="1")
    fleet.wait_ready()
    with load(stack, 2, per_second=10, seconds=30) as arriving:
        pass
    wait_until("both running", lambda: len(fleet.lines("claimed")) == 2, 10)
    job_id = victim.lines("claimed")[0]["job_id"]
    victim.signal(signal.SIGKILL)
    seconds = _seconds_until(lambda: len(fleet.lines("claimed", job_id=job_id)) == 2, 120)
    _say(f"dead worker's job running again after {seconds:.0f} s (at most 60), of {len(arriving.ids)} jobs")


def deaf(stack: ChaosStack, fleet: Fleet) -> None:
    """Realtime says that all is well and never delivers again, until the client is made anew."""
    fleet.start(1, **DEFAULTS)
    fleet.wait_ready()
    with load(stack, 60, per_second=1):
        stack.realtime_faults(deafen=True)
        started_at = time.monotonic()
        fleet.wait_for(1, "events missed", 60)
        noticed = time.monotonic() - started_at
        wait_until_event_driven(stack, fleet, 60)
        heard = time.monotonic() - started_at
    _say(
        f"deaf for good: noticed after {noticed:.0f} s, event-driven again after {heard:.0f} s (at most 60), "
        f"the longest wait {waits(stack)[-1]:.0f} s (at most 30)"
    )


def short_outage(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2, **DEFAULTS)
    fleet.wait_ready()
    stack.realtime_faults(refuse=True, drop="abort")
    fleet.wait_for(2, "realtime", 10, state="degraded")
    _say(f"pickup without Realtime: {_pickups(stack)} (p95 at most 2 s)")
    _come_back(stack, fleet)


def long_outage(stack: ChaosStack, fleet: Fleet) -> None:
    """Long enough for the pauses between attempts to connect to be as long as they get."""
    fleet.start(1, **DEFAULTS)
    fleet.wait_ready()
    stack.realtime_faults(refuse=True, drop="abort")
    time.sleep(90)
    _come_back(stack, fleet)


def _come_back(stack: ChaosStack, fleet: Fleet) -> None:
    stack.realtime_faults(refuse=False)
    seconds = _seconds_until(lambda: bool(wait_until_event_driven(stack, fleet, 60)), 60)
    _say(f"Realtime back: first pickup by an event after {seconds:.1f} s (at most 10)")


def _pickups(stack: ChaosStack) -> str:
    with load(stack, 100, per_second=5):
        pass
    wait_until("all claimed", lambda: len(waits(stack)) == 100, 60)
    found = waits(stack)
    return f"p50 {statistics.median(found):.3f} s, p95 {found[94]:.3f} s, max {found[-1]:.3f} s"


def _seconds_until(look: Callable[[], bool], within_s: float) -> float:
    started_at = time.monotonic()
    wait_until("the recovery", look, within_s)
    return time.monotonic() - started_at


def _calls(stack: ChaosStack) -> int:
    counts: dict[str, int] = stack.rest_faults()["calls"]
    return sum(counts.values())


@contextmanager
def _workers(stack: ChaosStack) -> Iterator[Fleet]:
    stack.clear()
    with tempfile.TemporaryDirectory() as name, running_fleet(Path(name), stack) as fleet:
        yield fleet
    stack.heal()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
