"""Jobs arrive one by one at ten workers of ours: how many claims does a job cost?"""

from __future__ import annotations

from collections.abc import Iterator

from analysis_bench.arena import USERS, Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Measurement
from analysis_bench.systems import System

NAME = "claims"
WORKERS, CONCURRENCY = 10, 10
ACQUAINTED_S = 6.0
PATIENCE_S = 20.0


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    if not system.is_ours:
        return
    with arena.trial(system) as trial:
        trial.start_workers(WORKERS, CONCURRENCY, ACQUAINTED_S)
        trial.warm_up()
        before = arena.server.calls(trial.database, "claim_job")
        jobs = range(plan.claimed.jobs)
        trial.pace([(key, 0.0, key % USERS) for key in jobs], plan.claimed.per_second)
        if not trial.records.wait("s", [str(key) for key in jobs], PATIENCE_S):
            raise trial.trouble("did not run all jobs")
        claims = arena.server.calls(trial.database, "claim_job") - before
    yield Measurement(scenario=NAME, system=system.name, values={"claims_per_job": claims / plan.claimed.jobs})
