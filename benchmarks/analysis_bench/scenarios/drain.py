"""How many no-op jobs a second one worker gets through that finds a full queue, and what each costs the database."""

from __future__ import annotations

import time
from collections.abc import Iterator

from analysis_bench.arena import Arena
from analysis_bench.plan import Plan
from analysis_bench.results import Measurement
from analysis_bench.systems import System

NAME = "drain"
BEGIN_S = 20.0
LOOK_S = 0.05


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    """From the first start until the queue is empty, or for so many seconds."""
    with arena.trial(system, plan.drain_jobs) as trial:
        before = arena.server.count(trial.database)
        trial.start_workers_cold(1, system.drains_at)
        if not trial.records.wait_for(lambda: bool(trial.records.starts), BEGIN_S):
            raise trial.trouble("did not start a job")
        cpu_before = trial.workers[0].cpu_seconds()
        begun = min(times[0] for times in trial.records.starts.values())
        left, now = plan.drain_jobs, begun
        while left and now - begun < plan.drain_seconds:
            time.sleep(LOOK_S)
            trial.workers[0].check()
            trial.records.look()
            if len(trial.records.starts) == plan.drain_jobs or time.time() - begun >= plan.drain_seconds:
                left = trial.unsettled()
            now = time.time()
        cpu = trial.workers[0].cpu_seconds() - cpu_before
        after = arena.server.count(trial.database)
        wal = arena.server.wal_between(before, after)
    settled = max(1, plan.drain_jobs - left)
    values = {
        "jobs_per_second": settled / (now - begun),
        "statements_per_job": (after.statements - before.statements) / settled,
        "wal_bytes_per_job": wal.records / settled,
        "wal_page_bytes_per_job": wal.pages / settled,
        "worker_cpu_ms_per_job": cpu * 1000 / settled,
        "settled": settled,
    }
    yield Measurement(scenario=NAME, system=system.name, values=values)
