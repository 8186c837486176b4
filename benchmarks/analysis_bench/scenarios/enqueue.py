"""How long it takes to enqueue one job, until it is committed and the caller knows."""

from __future__ import annotations

from collections.abc import Iterator

from analysis_bench.arena import USERS, Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Measurement
from analysis_bench.statistics import quantile
from analysis_bench.systems import System

NAME = "enqueue"
WARM_UP = 10


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    """Ours by the RPC over HTTP, as apps do it, except on the direct way."""
    with arena.trial(system) as trial:
        trial.drive({} if system.name == "ours-direct" else trial.variables)
        trial.pace([(-1 - key, 0.0, key) for key in range(WARM_UP)], plan.enqueued.per_second)
        paced = trial.pace([(key, 0.0, key % USERS) for key in range(plan.enqueued.jobs)], plan.enqueued.per_second)
    took = [round(seconds * 1000, 3) for seconds in paced["took"]]
    values = {"p50_ms": quantile(took, 0.5), "p95_ms": quantile(took, 0.95), "max_ms": max(took)}
    yield Measurement(scenario=NAME, system=system.name, case=str(plan.enqueued), values=values, samples=took)
