"""One system in a database of its own: a driver that enqueues, workers that note what they do, counters."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from analysis_bench.environment import Environment
from analysis_bench.gateway import HOST
from analysis_bench.processes import READY_S, Child, ChildError
from analysis_bench.records import Records
from analysis_bench.server import Server
from analysis_bench.systems import System
from supabase_local.keys import new_keys

BULK = 500
CHANGES_EVERY_S = 0.5
"""How often the real Realtime looks for changes of tables while it is idle."""
SETTLE_S = 1.5
"""For a worker that says it has begun to connect and to listen."""


@dataclass(slots=True)
class Trial:
    """What it starts ends with `stack`."""

    server: Server
    environment: Environment
    logs: Path
    system: System
    database: str
    records: Records
    stack: ExitStack
    workers: list[Child] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    _driver: Child | None = None
    _gateway: Child | None = None

    def open_gateway(self) -> None:
        keys = new_keys()
        url = self.server.url(self.database, "authenticator")
        self._gateway = self.start(
            self.environment.module("gateway"),
            {
                "BENCH_REST_URL": url,
                "BENCH_KEYS": json.dumps(asdict(keys)),
                "BENCH_CHANGES_EVERY_S": str(CHANGES_EVERY_S),
            },
            "gateway",
        )
        api_url = f"http://{HOST}:{self._gateway.read_line()}"
        self.variables = {"BENCH_API_URL": api_url, "BENCH_KEY": keys.service_role_key}
        self.variables |= {"BENCH_ANON_KEY": keys.anon_key, "BENCH_JWT_SECRET": keys.jwt_secret}

    def start(self, command: list[str], environment: dict[str, str], what: str) -> Child:
        place = {
            "BENCH_DATABASE_URL": self.server.url(self.database),
            "BENCH_RECORDS": str(self.records.directory),
        }
        child = Child.start(command, place | environment, self.logs / f"{self.system.name}-{what}.log")
        self.stack.callback(child.kill)
        return child

    def start_workers(self, number: int, concurrency: int, seconds: float = SETTLE_S) -> None:
        """And wait until each has begun, and for so many seconds more until it listens."""
        self.start_workers_cold(number, concurrency)
        time.sleep(seconds)

    def start_workers_cold(self, number: int, concurrency: int) -> None:
        wanted = self.records.processes() + number
        command = self.environment.command(self.system, "work")
        environment = {"BENCH_CONCURRENCY": str(concurrency)} | self._worker_settings(concurrency)
        started = [self.start(command, environment, "worker") for _ in range(number)]
        self.workers += started

        def begun() -> bool:
            for worker in started:
                worker.check()
            return self.records.processes() >= wanted

        if not self.records.wait_for(begun, READY_S):
            raise started[0].trouble("did not begin")

    def _worker_settings(self, concurrency: int) -> dict[str, str]:
        if not self.system.is_ours:
            return {}
        settings = {
            "SUPABASE_URL": self.variables["BENCH_API_URL"],
            "SUPABASE_SECRET_KEY": self.variables["BENCH_KEY"],
            "ANALYSIS_WORKER_CONCURRENCY": str(concurrency),
            "ANALYSIS_WORKER_LOG_FORMAT": "json",
        }
        if self.system.name == "ours-direct":
            settings["ANALYSIS_WORKER_DATABASE_URL"] = self.server.url(self.database, "worker_login")
        return settings

    def listen_bare(self) -> None:
        """A client that only notes when the event of each job is there."""
        wanted = self.records.processes() + 1
        child = self.start(self.environment.module("bare", self.system.event), self.variables, "bare")
        if not self.records.wait_for(lambda: self.records.processes() >= wanted, READY_S):
            raise child.trouble("did not begin")

    def drive(self, variables: dict[str, str] | None = None) -> Child:
        """The driver, which by default enqueues by SQL; with the variables of the API, ours does so over HTTP."""
        if self._driver is None:
            self._driver = self.start(self.environment.command(self.system, "drive"), variables or {}, "driver")
            self._driver.read_line()
        return self._driver

    def enqueue(self, jobs: Sequence[tuple[int, float, int]]) -> None:
        """In bulk, with statistics as soon as there is something to count."""
        for first in range(0, len(jobs), BULK):
            self.drive().ask({"do": "enqueue", "jobs": jobs[first : first + BULK]}, timeout=120)
            if not first:
                self.server.execute(self.database, "analyze")

    def pace(self, jobs: Sequence[tuple[int, float, int]], per_second: float) -> dict[str, list[Any]]:
        """Enqueue one by one; `ids`, `committed` (times) and `took` (seconds) in the order of the jobs."""
        wish = {"do": "pace", "jobs": jobs, "per_second": per_second}
        answer: dict[str, list[Any]] = self.drive().ask(wish, timeout=len(jobs) / per_second * 3 + 30)
        return answer

    def warm_up(self, jobs: int = 3) -> None:
        """A few jobs with negative keys; raises unless they all run."""
        keys = range(-1, -1 - jobs, -1)
        self.pace([(key, 0.0, 0) for key in keys], 20)
        if not self.records.wait("s", [str(key) for key in keys], READY_S):
            raise self.trouble("did not run a job")

    def unsettled(self) -> int:
        return self.server.number(self.database, self.system.unsettled)

    def requests(self) -> int | None:
        """Over HTTP, by anybody, so far; None where there is no HTTP."""
        if self._gateway is None:
            return None
        answer = httpx.post(
            f"{self.variables['BENCH_API_URL']}/rest/v1/_faults",
            json={},
            headers={"apikey": self.variables["BENCH_KEY"]},
        )
        return int(sum(answer.raise_for_status().json()["calls"].values()))

    def trouble(self, what: str) -> ChildError:
        return self.workers[0].trouble(what) if self.workers else ChildError(f"{self.system.name} {what}")
