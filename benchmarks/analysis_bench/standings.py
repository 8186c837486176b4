"""Where this project stands in each scenario: first or not, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from analysis_bench.goals import DIRECT, DOORBELL, PICKUP_CASE
from analysis_bench.results import Results
from analysis_bench.systems import SYSTEMS
from analysis_bench.tables import NOTHING


@dataclass(frozen=True, slots=True)
class Discipline:
    """`why` we lose where we do."""

    title: str
    scenario: str
    value: str
    case: str
    unit: str
    why: str
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    discipline: Discipline
    best: str
    doorbell: str
    direct: str
    place: str
    lost: bool


DISCIPLINES = (
    Discipline(
        f"pickup p50, {PICKUP_CASE}",
        "pickup",
        "p50_ms",
        PICKUP_CASE,
        "ms",
        "a claim decides on limits, turns and leases before the handler starts, and over HTTP it crosses a gateway",
    ),
    Discipline(
        "no-op drain",
        "drain",
        "jobs_per_second",
        "",
        "jobs/s",
        "each job leaves its row with its result, its attempt, and an event for the browser",
        more_is_better=True,
    ),
    Discipline(
        "500 jobs of 1 s: overhead",
        "sleepers",
        "overhead_percent",
        "500 at a time",
        "%",
        "it claims and settles through SQL functions that decide more than a queue without turns and leases has to",
    ),
    Discipline(
        "enqueue p95",
        "enqueue",
        "p95_ms",
        "50/s",
        "ms",
        "it checks who asks, the input, limits and twins, and over HTTP it crosses a gateway",
    ),
    Discipline(
        "idle: statements a minute",
        "idle",
        "statements_per_minute",
        "",
        "",
        "PostgREST wraps each call in statements of its own; heartbeats and sweeps are calls",
    ),
    Discipline(
        "idle: share of a core",
        "idle",
        "cpu_percent",
        "",
        "%",
        "a socket that is kept alive, a heartbeat in a thread of its own, a check for missed events every second",
    ),
    Discipline(
        "recovery after SIGKILL",
        "recovery",
        "seconds",
        "",
        "s",
        "a lease lasts 25 s, so that a pause of the worker costs no job",
    ),
    Discipline(
        "WAL for a job in a drain",
        "drain",
        "wal_bytes_per_job",
        "",
        "bytes",
        "logical replication logs rows whole, and the row, the attempt, the queue and the events are all rows",
    ),
)


def standings(results: Results) -> list[Standing]:
    return [found for each in DISCIPLINES if (found := _stand(results, each)) is not None]


def _stand(results: Results, discipline: Discipline) -> Standing | None:
    scores = {
        system: score
        for system in SYSTEMS
        if (score := results.median(discipline.scenario, system.name, discipline.value, discipline.case)) is not None
    }
    ours = [system for system in scores if system.is_ours]
    if not ours or len(ours) == len(scores):
        return None
    ranked = sorted(scores, key=lambda system: scores[system], reverse=discipline.more_is_better)
    place = min(ranked.index(system) for system in ours) + 1
    shown = {system.name: f"{scores[system]:,.4g} {discipline.unit}".strip() for system in scores}
    return Standing(
        discipline,
        f"{ranked[0].title}, {shown[ranked[0].name]}",
        shown.get(DOORBELL, NOTHING),
        shown.get(DIRECT, NOTHING),
        f"{place} of {len(ranked)}",
        place > 1,
    )
