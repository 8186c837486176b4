"""Real worker processes: started, killed, stopped, continued, and heard."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from analysis_worker import Settings
from tests.chaos.apps import CLOCK, EXECUTIONS
from tests.chaos.hosts import Host
from tests.chaos.proxy import FaultProxy
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until
from tests.chaos.ways import Way, over_http
from tests.databases import ROOT
from tests.processes import COMMAND

START_S = 30.0
_SHORT = {
    "HEARTBEAT_SECONDS": "0.5",
    "LEASE_SECONDS": "3",
    "RECONCILE_SECONDS": "1",
    "POLL_SECONDS": "0.2",
    "GRACE_SECONDS": "5",
}
DEFAULTS = {name: str(Settings.model_fields[name.lower()].default) for name in _SHORT}
Line = dict[str, Any]


@dataclass(slots=True)
class WorkerProcess:
    process: subprocess.Popen[bytes]
    log_file: Path
    was_killed: bool = False

    def lines(self, event: str | None = None, **fields: object) -> list[Line]:
        """What it logged, as far as it is JSON, of this event and with these fields."""
        return [
            line
            for text in self.log_file.read_text().splitlines()
            if text.startswith("{") and text.endswith("}")
            for line in [json.loads(text)]
            if event in {None, line["event"]} and all(line.get(name) == value for name, value in fields.items())
        ]

    def wait_for(self, event: str, within_s: float = START_S, **fields: object) -> Line:
        wait_until(f"{event} {fields} in the log", lambda: self.lines(event, **fields), within_s)
        return self.lines(event, **fields)[-1]

    @property
    def id(self) -> str:
        worker_id: str = self.lines("worker started")[0]["worker_id"]
        return worker_id

    def signal(self, number: signal.Signals) -> None:
        self.was_killed |= number is signal.SIGKILL
        self.process.send_signal(number)

    @property
    def has_failed(self) -> bool:
        return not self.was_killed and self.process.poll() not in {None, 0}


@dataclass(slots=True)
class Fleet:
    directory: Path
    stack: ChaosStack
    reach: Mapping[str, str]
    listeners: tuple[str, ...]
    key_file: Path | None = None
    workers: list[WorkerProcess] = field(default_factory=list)

    @property
    def executions(self) -> Path:
        return self.directory / "executions"

    @property
    def clock(self) -> Path:
        """By how many seconds the wall clock of all workers is wrong."""
        return self.directory / "clock"

    def start(self, count: int = 1, **environment: str) -> list[WorkerProcess]:
        """New workers, at work. `environment` goes over the short settings, without the common prefix.

        Only a worker whose first heartbeat was heard is rescued from after its own lease time.
        """
        return self.at_work([self.launch(**environment) for _ in range(count)])

    def start_on(self, hosts: Iterable[Host], **environment: str) -> list[WorkerProcess]:
        """As `start`, one worker on each of these."""
        return self.at_work([self.launch(host, **environment) for host in hosts])

    def at_work(self, started: list[WorkerProcess]) -> list[WorkerProcess]:
        """These, as soon as their first heartbeat was heard."""
        for worker in started:
            worker.wait_for("worker started")
        wait_until("heartbeats", lambda: self._beating() >= {worker.id for worker in started}, START_S)
        return started

    def wait_ready(self, within_s: float = START_S) -> None:
        for worker in self.alive():
            for listener in self.listeners:
                worker.wait_for(listener, within_s, state="ready")

    def wait_for(self, count: int, event: str, within_s: float, **fields: object) -> None:
        """Until so many such lines were logged by all workers together."""
        wait_until(f"{count} times {event} {fields}", lambda: len(self.lines(event, **fields)) >= count, within_s)

    def alive(self) -> list[WorkerProcess]:
        return [worker for worker in self.workers if worker.process.poll() is None]

    def lines(self, event: str | None = None, **fields: object) -> list[Line]:
        return [line for worker in self.workers for line in worker.lines(event, **fields)]

    def wakes(self, job_id: UUID) -> list[str]:
        """Why the workers that claimed this job looked at the queue."""
        return [line["woken_by"] for line in self.lines("claimed", job_id=str(job_id))]

    def failures(self) -> list[str]:
        """The last words of workers that ended although nobody wanted it."""
        return [worker.log_file.read_text()[-3000:] for worker in self.workers if worker.has_failed]

    def _key(self) -> dict[str, str]:
        if self.key_file is not None:
            return {"SUPABASE_SECRET_KEY_FILE": str(self.key_file)}
        return {"SUPABASE_SECRET_KEY": self.stack.variables.secret_key}

    def _beating(self) -> set[str]:
        return {row["id"] for row in self.stack.query("select id from public.analysis_workers where state <> '{}'")}

    def launch(self, host: Host | None = None, /, **environment: str) -> WorkerProcess:
        """One more worker, not waited for; on this machine or on a host of its own."""
        log_file = self.directory / f"worker-{len(self.workers)}.log"
        variables = {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
            **(host.reach if host else self.reach),
            **self._key(),
            "ANALYSIS_WORKER_LOG_FORMAT": "json",
            EXECUTIONS: str(self.executions),
            CLOCK: str(self.clock),
        }
        settings = {f"ANALYSIS_WORKER_{name}": value for name, value in (_SHORT | environment).items()}
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [*(host.enter if host else []), COMMAND, "run", "--app", "tests.chaos.apps:app"],
                env=os.environ | variables | settings,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        worker = WorkerProcess(process, log_file)
        self.workers.append(worker)
        return worker


@contextmanager
def running_fleet(
    directory: Path, stack: ChaosStack, way: Way | None = None, proxy: FaultProxy | None = None
) -> Iterator[Fleet]:
    """An empty fleet, over HTTP where nothing else is said; what is left of it at the end is killed."""
    way = way or over_http(stack)
    address, port = (proxy.address, proxy.port) if proxy else ("127.0.0.1", way.port)
    fleet = Fleet(directory, stack, way.variables(address, port), way.listeners)
    try:
        yield fleet
    finally:
        for worker in fleet.workers:
            worker.process.kill()
        for worker in fleet.workers:
            worker.process.wait(10)
