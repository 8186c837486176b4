"""What a claim takes in queues with a past: `benchmarks/claim_scale.py`, on a durable server of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from analysis_bench.arena import Arena
from analysis_bench.environment import ROOT
from analysis_bench.plan import Plan
from analysis_bench.results import Measurement
from analysis_bench.systems import System

NAME = "claim cost"
SCRIPT = ROOT / "benchmarks" / "claim_scale.py"
PATIENCE_S = 900


def measure(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    if system.name != "ours-direct":
        return
    rows = [str(each) for each in plan.claim_rows]
    command = [sys.executable, str(SCRIPT), "--json", "--claims", str(plan.claims), "--rows", *rows]
    with (arena.logs / "claim-cost.log").open("wb") as log:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, check=True, timeout=PATIENCE_S)
    for times in json.loads(done.stdout)["times"]:
        values = {"p50_ms": times["p50"], "p95_ms": times["p95"]}
        yield Measurement(scenario=NAME, system=system.name, case=f"{times['rows']:,} rows", values=values)
