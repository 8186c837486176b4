"""Jobs that wait a second for something else, as calls to a model do, on one worker with many places."""

from __future__ import annotations

from collections.abc import Iterator

from analysis_bench.arena import USERS, Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Measurement
from analysis_bench.systems import System

NAME = "sleepers"
SECONDS = 1.0
PATIENCE = 6
"""Times as long as it would take without any overhead."""


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    for concurrency in plan.sleepers:
        ideal = plan.sleeper_waves * SECONDS
        jobs = concurrency * plan.sleeper_waves
        with arena.trial(system) as trial:
            trial.enqueue([(key, SECONDS, key % USERS) for key in range(jobs)])
            trial.start_workers_cold(1, concurrency)
            trial.records.wait_for(lambda: len(trial.records.times["e"]) >= jobs, ideal * PATIENCE + 10)  # noqa: B023
            began = [times[0] for times in trial.records.starts.values()]
            ended = [times[0] for times in trial.records.times["e"].values()]
            if not ended:
                raise trial.trouble("ended no job")
        took = max(ended) - min(began)
        values = {
            "overhead_percent": (took / (ideal * len(ended) / jobs) - 1) * 100,
            "jobs_per_second": len(ended) / took,
            "missing": float(jobs - len(ended)),
        }
        yield Measurement(scenario=NAME, system=system.name, case=f"{concurrency} at a time", values=values)
