"""Who is measured: this project in three ways, and its peers, each in the configuration that its documentation has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Runtime = Literal["python", "python3.12", "node"]


@dataclass(frozen=True, slots=True)
class System:
    """`unsettled` counts the jobs that are not done. `drains_at` is the concurrency in a drain, 0 where it has none."""

    name: str
    title: str
    unsettled: str
    runtime: Runtime = "python"
    package: str = ""
    drains_at: int = 50
    about: str = ""
    cancels: bool = True
    """Whether a handler that runs is interrupted when its job is cancelled."""

    @property
    def is_ours(self) -> bool:
        return self.name.startswith("ours-")

    @property
    def schema(self) -> str:
        """Systems with the same one share the databases that are made once and copied."""
        return "ours" if self.is_ours else self.name

    @property
    def event(self) -> str:
        """What wakes our workers, as `analysis_bench.bare` knows it."""
        return {"ours-changes": "changes", "ours-doorbell": "doorbell", "ours-direct": "notify"}[self.name]


_OURS = "select count(*) from public.analysis_jobs where status in ('pending', 'processing')"

SYSTEMS = (
    System(
        "ours-changes",
        "ours, Postgres Changes only",
        _OURS,
        about="PostgREST and Realtime's Postgres Changes over HTTP; the doorbell rings for cancels, not for jobs",
    ),
    System(
        "ours-doorbell",
        "ours, doorbell",
        _OURS,
        about="PostgREST and Realtime over HTTP, as installed: woken by the broadcast from the database",
    ),
    System(
        "ours-direct",
        "ours, direct",
        _OURS,
        about="`ANALYSIS_WORKER_DATABASE_URL`: the same functions over a connection, woken by LISTEN",
    ),
    System(
        "every-second",
        "a look every second",
        "select count(*) from jobs where status <> 'completed'",
        about="plain SQL, `for update skip locked`, a pause of one second when nothing is left",
        cancels=False,
    ),
    System(
        "messages",
        "messages, as pgmq does",
        "select count(*) from jobs",
        about="plain SQL, read with a visibility timeout every 100 ms, archived when done",
        cancels=False,
    ),
    System(
        "procrastinate",
        "Procrastinate",
        "select count(*) from procrastinate_jobs where status in ('todo', 'doing')",
        package="procrastinate",
        about="LISTEN/NOTIFY, poll every 5 s, the documented recipe for stalled jobs every 10 min",
    ),
    System(
        "pgqueuer",
        "PGQueuer",
        "select count(*) from pgqueuer",
        package="pgqueuer",
        drains_at=0,
        about="asyncpg, LISTEN/NOTIFY, batches of 10; no limit of concurrency in drains, which is its default",
    ),
    System(
        "oban",
        "Oban (Python)",
        "select count(*) from oban_jobs where state in ('available', 'executing', 'retryable', 'scheduled')",
        runtime="python3.12",
        package="oban",
        about="its own pool, LISTEN/NOTIFY, lifeline every 60 s for jobs of dead nodes",
        cancels=False,
    ),
    System(
        "saq",
        "SAQ",
        "select count(*) from saq_jobs where status in ('new', 'queued', 'active')",
        package="saq",
        about="on Postgres, LISTEN/NOTIFY, sweep every 60 s; `retries=2`, else a dead worker's job would be aborted",
    ),
    System(
        "graphile-worker",
        "Graphile Worker",
        "select count(*) from graphile_worker._private_jobs",
        runtime="node",
        about="LISTEN/NOTIFY, poll every 2 s, ten connections, no local queue, all of it its default",
        cancels=False,
    ),
    System(
        "pg-boss",
        "pg-boss",
        "select count(*) from pgboss.job where state in ('created', 'active', 'retry')",
        runtime="node",
        about="LISTEN/NOTIFY, heartbeats, bursts and batches of 10 turned on",
    ),
)
