"""From the commit of a job to the start of its handler, and to its event at a client that does nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis_bench.arena import USERS, Arena
from analysis_bench.plan import Arrivals, Plan
from analysis_bench.results import Measurement
from analysis_bench.statistics import quantile
from analysis_bench.systems import System
from analysis_bench.trial import Trial

CONCURRENCY = 10
PATIENCE_S = 15.0
NAME = "pickup"


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    return _measure(arena, system, 1, plan.pickup)


def measure_many(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    for workers, arrivals in plan.pickup_of_many:
        yield from _measure(arena, system, workers, arrivals)


def _measure(arena: Arena, system: System, workers: int, arrivals: Sequence[Arrivals]) -> Iterator[Measurement]:
    with arena.trial(system) as trial:
        trial.start_workers(workers, CONCURRENCY)
        if system.is_ours and workers == 1:
            trial.listen_bare()
        trial.warm_up()
        first = 0
        for each in arrivals:
            yield from _arrive(trial, each, first, workers)
            first += each.jobs


def _arrive(trial: Trial, arrivals: Arrivals, first: int, workers: int) -> Iterator[Measurement]:
    keys = range(first, first + arrivals.jobs)
    before = trial.server.count(trial.database)
    paced = trial.pace([(key, 0.0, key % USERS) for key in keys], arrivals.per_second)
    names = [str(key) for key in keys]
    all_came = trial.records.wait("s", names, PATIENCE_S)
    after = trial.server.count(trial.database)
    wal = trial.server.wal_between(before, after)
    case = f"{arrivals}, {workers} worker{'s' if workers > 1 else ''}"
    waited = _waited(trial, "s", names, paced["committed"])
    values = {
        "p50_ms": quantile(waited, 0.5),
        "p95_ms": quantile(waited, 0.95),
        "missing": 0.0 if all_came else float(len(names) - len(waited)),
        "statements_per_job": (after.statements - before.statements) / arrivals.jobs,
        "wal_bytes_per_job": wal.records / arrivals.jobs,
    }
    yield Measurement(scenario=NAME, system=trial.system.name, case=case, values=values, samples=waited)
    arrived = _waited(trial, "a", paced["ids"], paced["committed"])
    if arrived:
        values = {"p50_ms": quantile(arrived, 0.5), "p95_ms": quantile(arrived, 0.95)}
        yield Measurement(scenario="arrival", system=trial.system.name, case=case, values=values, samples=arrived)


def _waited(trial: Trial, what: str, names: Sequence[str], committed: Sequence[float]) -> list[float]:
    """Milliseconds since the commit of those that had such an event. Slightly negative where it was seen before the
    one who enqueued had the answer."""
    times = trial.records.times[what]
    return [round((times[name][0] - at) * 1000, 3) for name, at in zip(names, committed, strict=True) if name in times]
