"""What a worker costs that has nothing to do. All systems at the same time: each has a database of its own."""

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

NAME = "idle"
CONCURRENCY = 10
CALM_S = 5.0


def measure_together(arena: Arena, systems: Sequence[System], plan: Plan) -> Iterator[Measurement | Failure]:
    with ExitStack() as stack:
        trials: list[Trial] = []
        for begun in begin_all(arena, systems, NAME, stack, _begin):
            if isinstance(begun, Failure):
                yield begun
            else:
                trials.append(begun[0])
        time.sleep(CALM_S)
        before = [_read(trial) for trial in trials]
        time.sleep(plan.idle_seconds)
        for trial, earlier in zip(trials, before, strict=True):
            yield _compare(trial, earlier, _read(trial), plan.idle_seconds)


def _begin(trial: Trial) -> None:
    trial.start_workers(1, CONCURRENCY)
    trial.warm_up(1)


def _read(trial: Trial) -> dict[str, float]:
    read = {
        "statements": float(trial.server.count(trial.database).statements),
        "cpu_seconds": trial.workers[0].cpu_seconds(),
    }
    requests = trial.requests()
    return read if requests is None else read | {"requests": float(requests)}


def _compare(trial: Trial, before: dict[str, float], after: dict[str, float], seconds: float) -> Measurement:
    spent = {name: after[name] - before[name] for name in after}
    values = {
        "cpu_percent": spent.pop("cpu_seconds") / seconds * 100,
        "rss_mib": trial.workers[0].rss_mib(),
    }
    values |= {f"{name}_per_minute": number * 60 / seconds for name, number in spent.items()}
    return Measurement(scenario=NAME, system=trial.system.name, values=values)
