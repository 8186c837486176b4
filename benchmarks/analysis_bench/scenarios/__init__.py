"""What is measured. Each module measures one system at a time, or all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from analysis_bench.arena import Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Failure, Measurement
from analysis_bench.scenarios import (
    cancel,
    claim_cost,
    claims,
    drain,
    enqueue,
    fairness,
    idle,
    pickup,
    recovery,
    sleepers,
)
from analysis_bench.systems import System

Found: TypeAlias = Iterator[Measurement] | Iterator[Measurement | Failure]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`rounds` is how often it is measured at most, for those where one round says it all or takes long."""

    name: str
    measure: Callable[[Arena, System, Plan], Found] | None = None
    measure_together: Callable[[Arena, Sequence[System], Plan], Found] | None = None
    rounds: int = 100


SCENARIOS = (
    Scenario(pickup.NAME, pickup.measure),
    Scenario(drain.NAME, drain.measure),
    Scenario(enqueue.NAME, enqueue.measure),
    Scenario(sleepers.NAME, sleepers.measure, rounds=1),
    Scenario(claims.NAME, claims.measure, rounds=1),
    Scenario(claim_cost.NAME, claim_cost.measure, rounds=1),
    Scenario(idle.NAME, measure_together=idle.measure_together, rounds=1),
    Scenario(recovery.NAME, measure_together=recovery.measure_together, rounds=1),
    Scenario(f"{pickup.NAME} of many", pickup.measure_many, rounds=1),
    Scenario(fairness.NAME, fairness.measure, rounds=1),
    Scenario(cancel.NAME, cancel.measure, rounds=1),
)
"""Those with a goal first, since there may be no time for the last."""
