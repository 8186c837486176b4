"""Where the systems meet: databases made once for each of them, and copied for each trial."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from analysis_bench.environment import ROOT, Environment
from analysis_bench.processes import READY_S, Child
from analysis_bench.records import Records
from analysis_bench.server import Server
from analysis_bench.systems import System
from analysis_bench.trial import Trial
from supabase_local.database import migrate, read_migrations

HERE = Path(__file__).parent
USERS = 1000
"""Among whom jobs are dealt out, where it matters; ours.sql makes them."""


@dataclass(frozen=True, slots=True)
class Arena:
    server: Server
    environment: Environment
    logs: Path
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def trial(self, system: System, jobs: int = 0) -> Iterator[Trial]:
        """A new database with so many no-op jobs in it. Whatever was started ends with the context."""
        template = self._filled(system, jobs) if jobs else self.prepare(system)
        database = f"trial_{next(self._numbers)}"
        self.server.create(database, template)
        with self._opened(system, database) as trial:
            trial.stack.callback(self.server.drop, database)
            if system.name == "ours-changes":
                self.server.execute(
                    database, "alter table public.analysis_jobs disable trigger analysis_jobs_ring_doorbell"
                )
            self.server.checkpoint()
            if system.is_ours:
                trial.open_gateway()
            yield trial

    def prepare(self, system: System) -> str:
        """The name of the database that the system is installed in, which two at a time must not ask for first."""
        name = f"{system.schema}_0"
        if not self.server.has(name):
            with self.server.creating(name, "postgres" if system.is_ours else "template0"):
                self._install(system, name)
        return name

    def _install(self, system: System, database: str) -> None:
        if system.is_ours:
            migrate(self.server.url(database, "postgres"), read_migrations(ROOT / "supabase" / "migrations"))
            self.server.execute(database, (HERE / "ours.sql").read_text())
            return
        installer = Child.start(
            self.environment.command(system, "install"),
            {"BENCH_DATABASE_URL": self.server.url(database)},
            self.logs / f"{system.name}-install.log",
        )
        try:
            if installer.process.wait(READY_S):
                raise installer.trouble("failed")
        finally:
            installer.kill()

    def _filled(self, system: System, jobs: int) -> str:
        """So that no trial waits for its jobs; with statistics, as a queue in use has them."""
        name = f"{system.schema}_{jobs}"
        if not self.server.has(name):
            with self.server.creating(name, self.prepare(system)), self._opened(system, name) as trial:
                trial.enqueue([(key, 0.0, key % USERS) for key in range(jobs)])
            self.server.execute(name, "vacuum (analyze)")
        return name

    @contextmanager
    def _opened(self, system: System, database: str) -> Iterator[Trial]:
        with tempfile.TemporaryDirectory() as records, ExitStack() as stack:
            yield Trial(self.server, self.environment, self.logs, system, database, Records(Path(records)), stack)
