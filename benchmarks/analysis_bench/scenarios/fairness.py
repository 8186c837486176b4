"""One user has thousands of jobs in the queue, another one adds a single one: what goes before it?"""

from __future__ import annotations

from collections.abc import Iterator

from analysis_bench.arena import Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Failure, Measurement
from analysis_bench.systems import System

NAME = "fairness"
CONCURRENCY = 10
JOB_S = 0.02
PATIENCE_S = 30.0
GREEDY, OTHER = 1, 2


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement | Failure]:
    if not system.is_ours:
        yield Failure(scenario=NAME, system=system.name, reason="knows no users: first come, first served")
        return
    with arena.trial(system) as trial:
        trial.enqueue([(key, JOB_S, GREEDY) for key in range(plan.crowd)])
        trial.start_workers(1, CONCURRENCY)
        trial.records.look()
        (committed,) = trial.pace([(plan.crowd, JOB_S, OTHER)], 1)["committed"]
        if not trial.records.wait("s", [str(plan.crowd)], PATIENCE_S):
            raise trial.trouble("did not run the other user's job")
        started = trial.records.starts[str(plan.crowd)][0]
        between = sum(committed < times[0] < started for times in trial.records.starts.values())
        values = {"wait_ms": (started - committed) * 1000, "jobs_before": float(between)}
        yield Measurement(scenario=NAME, system=system.name, values=values)
