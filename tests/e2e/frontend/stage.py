"""The demo as its users have it: a stack, a worker, the built pages on a server, and a browser in front of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import DictRow, dict_row

from supabase_local.directory import StackVariables
from supabase_local.temporary import STOP_S, read_variables
from tests.databases import MIGRATIONS
from tests.processes import Playground
from tests.stacks import serve_command

WAIT_S = 60.0
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find_chromium() -> str | None:
    """`CHROMIUM_PATH`, else the first that is installed."""
    found = [os.environ.get("CHROMIUM_PATH"), *map(shutil.which, _CHROMIUMS), str(_MAC) if _MAC.exists() else None]
    return next((path for path in found if path), None)


@contextmanager
def faulty_stack() -> Iterator[StackVariables]:
    """A stack whose Realtime can be made to fail, and that looks often who is alive."""
    arguments = ["--until-stdin-closes", "--migrations", str(MIGRATIONS), "--faults"]
    with (
        tempfile.TemporaryDirectory(prefix="frontend-tests-") as elsewhere,
        subprocess.Popen(
            serve_command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=elsewhere
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            variables = read_variables(process.stdout)
            with psycopg.connect(variables.db_url, autocommit=True) as connection:
                connection.execute(
                    "update public.analysis_health_settings set check_seconds = 0.1, recovery_seconds = 0.1"
                )
            yield variables
        finally:
            process.stdin.close()
            process.wait(STOP_S)


@dataclass(slots=True)
class Worker:
    """The application's worker, as a process that tests stop, freeze and start again."""

    stack: StackVariables
    playground: Playground
    _running: ExitStack = field(default_factory=ExitStack)
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        if self._process is None:
            self._process = self._running.enter_context(self._program())

    def stop(self) -> None:
        """As a deployment does it: the worker says good-bye."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(WAIT_S)
        self._running.close()
        self._process = None

    @contextmanager
    def frozen_when(self, condition: Callable[[], bool]) -> Iterator[None]:
        """Stopped in the middle of what it does as soon as the condition holds, and let go again at the end."""
        assert self._process is not None
        until(condition, every=0.005)
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def _program(self) -> AbstractContextManager[subprocess.Popen[str]]:
        return self.playground.started(
            "run",
            "--app",
            "maxnutrition.app:app",
            SUPABASE_URL=self.stack.api_url,
            SUPABASE_SECRET_KEY=self.stack.secret_key,
            ANALYSIS_WORKER_HEARTBEAT_SECONDS="1",
            ANALYSIS_WORKER_LOG_LEVEL="ERROR",
        )


@dataclass(frozen=True, slots=True)
class Stage:
    stack: StackVariables
    worker: Worker
    database: psycopg.Connection[DictRow]

    def jobs(self, where: str = "true") -> list[dict[str, Any]]:
        return self.database.execute(f"select * from public.analysis_jobs where {where}".encode()).fetchall()

    def wait_for_jobs(self, where: str, count: int = 1) -> list[dict[str, Any]]:
        until(lambda: len(self.jobs(where)) >= count)
        return self.jobs(where)

    def break_realtime(self, **faults: object) -> None:
        self._post("realtime/v1/_faults", faults)

    def is_healthy(self) -> bool:
        return bool(self._post("rest/v1/rpc/get_flags", {})["healthy"])

    def _post(self, path: str, body: dict[str, object]) -> Any:
        headers = {"apikey": self.stack.secret_key}
        answer = httpx.post(f"{self.stack.api_url}/{path}", json=body, headers=headers, trust_env=False)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_stage(directory: Path) -> Iterator[Stage]:
    with (
        faulty_stack() as stack,
        psycopg.connect(stack.db_url, autocommit=True, row_factory=dict_row) as database,
    ):
        worker = Worker(stack, Playground(directory))
        try:
            yield Stage(stack, worker, database)
        finally:
            worker.stop()


def until(condition: Callable[[], bool], every: float = 0.05) -> None:
    give_up_at = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < give_up_at, "it did not happen in time"
        time.sleep(every)
