"""From the wish to cancel a job that runs to the moment its handler is told."""

from __future__ import annotations

from collections.abc import Iterator

from analysis_bench.arena import Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Failure, Measurement
from analysis_bench.statistics import quantile
from analysis_bench.systems import System

NAME = "cancel"
JOB_S = 30.0
PATIENCE_S = 12.0


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement | Failure]:
    if not system.cancels:
        yield Failure(scenario=NAME, system=system.name, reason="a handler that runs is not interrupted")
        return
    waited = []
    with arena.trial(system) as trial:
        trial.start_workers(1, plan.cancels + 1)
        trial.warm_up()
        for key in range(plan.cancels):
            (job_id,) = trial.pace([(key, JOB_S, key)], 1)["ids"]
            if not trial.records.wait("s", [str(key)], PATIENCE_S):
                raise trial.trouble("did not run a job")
            answer = trial.drive().ask({"do": "cancel", "id": job_id})
            if not trial.records.wait("c", [str(key)], PATIENCE_S):
                yield Failure(
                    scenario=NAME, system=system.name, reason=f"the handler was not interrupted within {PATIENCE_S:g} s"
                )
                return
            waited.append(round((trial.records.times["c"][str(key)][0] - answer["at"]) * 1000, 3))
    values = {"p50_ms": quantile(waited, 0.5), "max_ms": max(waited)}
    yield Measurement(scenario=NAME, system=system.name, values=values, samples=waited)
