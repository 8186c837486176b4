"""A worker is killed while it runs a job, another one is there: how long until the job runs again?

All systems at the same time, since all they do is wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from analysis_bench.arena import Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Failure, Measurement
from analysis_bench.scenarios.together import begin_all
from analysis_bench.systems import System
from analysis_bench.trial import Trial

NAME = "recovery"
JOB = "0"
JOB_S = 5.0
START_S = 10.0
LOOK_S = 0.05


def measure_together(arena: Arena, systems: Sequence[System], plan: Plan) -> Iterator[Measurement | Failure]:
    with ExitStack() as stack:
        waiting: list[tuple[Trial, float]] = []
        for begun in begin_all(arena, systems, NAME, stack, _kill_at_work):
            if isinstance(begun, Failure):
                yield begun
            else:
                waiting.append(begun)
        while waiting:
            time.sleep(LOOK_S)
            for trial, killed_at in list(waiting):
                if (found := _look(trial, killed_at, plan.recovery_seconds)) is not None:
                    waiting.remove((trial, killed_at))
                    yield found


def _look(trial: Trial, killed_at: float, patience: float) -> Measurement | Failure | None:
    trial.records.look()
    starts = trial.records.starts[JOB]
    if len(starts) > 1:
        return Measurement(scenario=NAME, system=trial.system.name, values={"seconds": starts[1] - killed_at})
    if time.time() - killed_at > patience:
        return Failure(
            scenario=NAME, system=trial.system.name, reason=f"the job did not run again within {patience:g} s"
        )
    return None


def _kill_at_work(trial: Trial) -> float:
    """When the worker was killed that had the job."""
    trial.start_workers(2, 1)
    trial.enqueue([(int(JOB), JOB_S, 0)])
    if not trial.records.wait("s", [JOB], START_S):
        raise trial.trouble("did not run the job")
    worker = next(each for each in trial.workers if each.has(trial.records.workers[JOB]))
    at = time.time()
    worker.kill()
    return at
