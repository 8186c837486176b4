"""Does a claim stay as quick as it is when the queue is new? And what does a job cost the database?

    uv run python benchmarks/claim_scale.py [--json] [--rows 1000 100000 1000000]

Starts a PostgreSQL of its own, durable as a real one, with a database for each size: so many settled jobs, and a tenth
as many pending ones. Claims of one job are measured in rounds that go over all sizes, so that whatever else the
machine does meets all of them; a job that was claimed is completed and another one enqueued, so that sizes stay.
Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias
from uuid import UUID, uuid4

import psutil
import psycopg
from psycopg import sql

from supabase_local.database import migrate, read_migrations
from supabase_local.postgres import SUPERUSER, PostgresServer
from supabase_local.temporary import running_server

HERE = Path(__file__).parent
TYPE, USERS, ROUND = "measured", 1000, 25
Session: TypeAlias = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one claim of one job."""

    rows: int
    claims: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one job, from enqueue to complete, by itself or `batch` jobs to a claim and to a settlement."""

    batch: int
    worker_statements: float
    """One more enqueues it."""
    wal_bytes: float
    """Records, without the pages that the first write after a checkpoint copies whole."""
    wal_whole_pages: float
    """Bytes of those, which are fewer the more jobs there are between two checkpoints."""
    processor_us: float
    """Microseconds of the server's process for claim and settlement, without waiting for the disk."""


@dataclass(frozen=True, slots=True)
class Report:
    server: str
    times: list[Times]
    ratio: float
    """p95 at the largest size by p95 at the smallest."""
    costs: list[Cost]


@dataclass(slots=True)
class Client:
    """Calls as the API makes them, one statement each, and counts them."""

    session: Session
    statements: int = 0
    """Those of the worker."""
    enqueued: int = 0

    def enqueue(self) -> None:
        self.enqueued += 1
        user = UUID(int=1 + self.enqueued % USERS)
        self._become("authenticated", {"role": "authenticated", "sub": str(user)})
        self._call("enqueue_analysis(%s, jsonb_build_object('number', %s::bigint))", TYPE, time.time_ns())
        self._become("service_role", {"role": "service_role"})

    def enqueue_many(self, jobs: int) -> None:
        for _ in range(jobs):
            self.enqueue()

    def claim(self, max_jobs: int) -> list[dict[str, str]]:
        self.statements += 1
        return self._call("claim_job('bench', %s, array[%s], %s)", uuid4(), TYPE, max_jobs)

    def complete(self, jobs: list[dict[str, str]]) -> None:
        self.statements += 1
        done = {"outcome": "completed", "result": {}}
        settlements = [{"job_id": job["id"], "lease_id": job["lease_id"], **done} for job in jobs]
        self._call("settle_jobs(%s)", json.dumps(settlements))

    def _call(self, function: str, *arguments: object) -> list[dict[str, str]]:
        rows = self.session.execute(f"select public.{function}".encode(), arguments).fetchall()
        return [row[0] for row in rows if isinstance(row[0], dict)]

    def _become(self, role: str, claims: dict[str, str]) -> None:
        statement = "select set_config('role', %s, false), set_config('request.jwt.claims', %s, false)"
        self.session.execute(statement, (role, json.dumps(claims)))


def main() -> None:
    arguments = _parse()
    try:
        with running_server(durable=True) as server:
            report = measure(server, sorted(arguments.rows), arguments.claims)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stdout.write(json.dumps(asdict(report), indent=2) + "\n" if arguments.json else as_table(report))


def measure(server: PostgresServer, sizes: list[int], claims: int) -> Report:
    with ExitStack() as stack:
        clients = {size: Client(stack.enter_context(filled(server, size))) for size in sizes}
        times = {size: list[float]() for size in sizes}
        for number in range(0, claims, ROUND):
            say(f"claims {number} to {number + ROUND} of {claims}")
            for size, client in clients.items():
                times[size] += claim_times(client, warm_up=number == 0)
        costs = [cost(clients[sizes[-1]], batch) for batch in (1, 10, 100)]
        version = str(clients[sizes[0]].session.info.parameter_status("server_version"))
    measured = [Times(size, len(times[size]), *percentiles(times[size])) for size in sizes]
    return Report(version, measured, measured[-1].p95 / measured[0].p95, costs)


def claim_times(client: Client, warm_up: bool) -> list[float]:
    """Milliseconds each. The size stays: what is claimed is completed, and something else enqueued."""
    times = []
    for number in range(-ROUND if warm_up else 0, ROUND):
        started = time.perf_counter()
        jobs = client.claim(1)
        if number >= 0:
            times.append((time.perf_counter() - started) * 1000)
        client.complete(jobs)
        client.enqueue()
    return times


def cost(client: Client, batch: int, jobs: int = 1000) -> Cost:
    """Whole pages, which follow a checkpoint whoever writes first, are told apart."""
    client.enqueue_many(jobs)
    drain(client, batch, jobs)
    before, client.statements = wal_position(client), 0
    client.enqueue_many(jobs)
    process = psutil.Process(client.session.info.backend_pid)
    used_before = processor_seconds(process)
    drain(client, batch, jobs)
    used = processor_seconds(process) - used_before
    with as_superuser(client.session):
        row = client.session.execute(
            "select sum(record_size)::float8, sum(fpi_size)::float8 from pg_get_wal_stats(%s, %s)",
            (before, wal_position(client)),
        ).fetchone()
    records, pages = row or (0.0, 0.0)
    assert isinstance(records, float)
    assert isinstance(pages, float)
    return Cost(batch, client.statements / jobs, records / jobs, pages / jobs, used / jobs * 1e6)


def drain(client: Client, batch: int, jobs: int) -> None:
    for _ in range(0, jobs, batch):
        client.complete(client.claim(batch))


def processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def wal_position(client: Client) -> str:
    row = client.session.execute("select pg_current_wal_flush_lsn()::text").fetchone()
    return str(row[0]) if row else ""


@contextmanager
def as_superuser(session: Session) -> Iterator[None]:
    session.execute("reset role")
    yield
    session.execute("set role service_role")


def percentiles(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return round(cuts[49], 3), round(cuts[94], 3)


@contextmanager
def filled(server: PostgresServer, size: int) -> Iterator[Session]:
    """A service's session in a database with a past of this size."""
    name = f"rows_{size}"
    with psycopg.connect(server.url(SUPERUSER, "template1"), autocommit=True) as session:
        session.execute(sql.SQL("create database {} template postgres owner postgres").format(sql.Identifier(name)))
    migrate(server.url("postgres", name), read_migrations(HERE.parent / "supabase" / "migrations"))
    say(f"filling {size} settled and {size // 10} pending jobs")
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as session:
        session.execute((HERE / "fill_queue.sql").read_text().encode())
        session.execute("call pg_temp.add_settled(%s, %s, %s)", [TYPE, size, USERS])
        session.execute("call pg_temp.add_pending(%s, %s, %s)", [TYPE, size // 10, USERS])
        session.execute("set session_replication_role = origin")
        session.execute("create extension pg_walinspect")
        session.execute("vacuum (analyze)")
        session.execute("set role service_role")
        yield session


def as_table(report: Report) -> str:
    lines = [f"PostgreSQL {report.server}", f"{'rows':>10} {'claims':>7} {'p50 ms':>8} {'p95 ms':>8}"]
    lines += [f"{each.rows:>10} {each.claims:>7} {each.p50:>8.2f} {each.p95:>8.2f}" for each in report.times]
    lines += [f"p95 at {report.times[-1].rows} / p95 at {report.times[0].rows}: {report.ratio:.2f} (goal: 1.5 at most)"]
    for each in report.costs:
        wal = f"{each.wal_bytes:.0f} bytes of WAL records, {each.wal_whole_pages:.0f} of whole pages"
        lines.append(f"per job, {each.batch} at a time: {each.worker_statements:.2f} statements of the worker, {wal}")
        lines.append(f"{each.processor_us:>10.0f} us of the processor for claim and settlement")
    return "\n".join(lines) + "\n"


def say(what: str) -> None:
    sys.stderr.write(what + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 100_000, 1_000_000], help="settled jobs")
    parser.add_argument("--claims", type=int, default=400, help="how many claims to measure at each size")
    return parser.parse_args()


if __name__ == "__main__":
    main()
