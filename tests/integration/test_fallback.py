"""From jobs to synchronous calls and back: real workers stop, and clients follow what they are told."""

from __future__ import annotations

import itertools
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from supabase_local.directory import StackVariables
from tests.apps import TYPE
from tests.databases import ROOT
from tests.processes import Playground

pytestmark = pytest.mark.anyio

LEASE_SECONDS, CHECK_SECONDS, RECOVERY_SECONDS = 2.0, 0.1, 1.0
SLACK_SECONDS, WAIT_SECONDS = 15.0, 60.0
POLL_SECONDS, SETTLED_SECONDS = 0.05, 0.15
Database = psycopg.Connection[dict[str, Any]]
Way = Literal["async", "sync"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A result as its user got it; `job_id` also of the job that was cancelled to do it synchronously."""

    way: Way
    job_id: str | None
    at: float


@dataclass(slots=True)
class Client:
    """A user's browser: asks for one analysis after the other, and gets each in one way or the other."""

    http: httpx.AsyncClient
    gate: Path
    deliveries: list[Delivery] = field(default_factory=list)
    stopping: bool = False
    stopped: anyio.Event = field(default_factory=anyio.Event)

    async def run(self) -> None:
        while not self.stopping:
            await self.ask(len(self.deliveries))
        self.stopped.set()

    async def ask(self, number: int) -> None:
        way: Way = "sync"
        job_id: str | None = None
        if (await self.flags())["healthy"]:
            input = {"path": str(self.gate), "number": number}
            job_id = (await self.call("enqueue_analysis", type=TYPE, input=input))["id"]
            way = await self.follow(job_id)
        if way == "sync":
            await anyio.sleep(POLL_SECONDS)
        self.deliveries.append(Delivery(way, job_id, time.monotonic()))

    async def follow(self, job_id: str) -> Way:
        """Until the job has ended, or could be cancelled before anybody was paid for it."""
        while True:
            status = (await self.call("get_analysis_status", job_id=job_id))["status"]
            if status == "completed":
                return "async"
            assert status in {"pending", "processing"}
            if status == "pending" and await self.gives_up() and await self.cancel(job_id):
                return "sync"
            await anyio.sleep(POLL_SECONDS)

    async def gives_up(self) -> bool:
        """While it recovers, who waits is about to be served."""
        flags = await self.flags()
        return not flags["healthy"] and flags["why"] != "recovering"

    async def cancel(self, job_id: str) -> bool:
        """False where it has ended otherwise meanwhile."""
        answer = await self.call("cancel_analysis", job_id=job_id)
        return bool(answer["status"] == "cancelled")

    async def flags(self) -> Any:
        answer = await self.call("get_flags")
        assert answer["flags"][answer["types"][TYPE]]["async"] is True
        return answer

    async def call(self, function: str, **arguments: Any) -> Any:
        response = await self.http.post(f"/rest/v1/rpc/{function}", json=arguments)
        assert response.status_code == 200, response.text
        return response.json()

    async def until_told(self, healthy: bool) -> Any:
        """What get_flags says as soon as it says this."""
        with anyio.fail_after(WAIT_SECONDS):
            while (answer := await self.flags())["healthy"] is not healthy:  # noqa: ASYNC110
                await anyio.sleep(POLL_SECONDS)
        return answer

    def changes(self) -> list[Way]:
        """Its ways, one for each stretch."""
        return [way for way, _ in itertools.groupby(delivery.way for delivery in self.deliveries)]


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Database]:
    """Short thresholds, a type that follows a flag, and the flag on; all as before at the end."""
    with psycopg.connect(stack.db_url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("delete from public.analysis_workers")  # those of tests before, who did not say goodbye
        connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", [TYPE])
        connection.execute("update public.analysis_types set flag_key = 'sofia' where type = %s", [TYPE])
        connection.execute("update public.analysis_flags set enabled = true where key = 'sofia'")
        connection.execute(
            "update public.analysis_health_settings set check_seconds = %s, recovery_seconds = %s",
            [CHECK_SECONDS, RECOVERY_SECONDS],
        )
        yield connection
        connection.execute("delete from public.analysis_jobs")
        connection.execute("delete from public.analysis_workers")
        connection.execute("update public.analysis_types set flag_key = null where type = %s", [TYPE])
        connection.execute("update public.analysis_flags set enabled = false where key = 'sofia'")
        for table in ("analysis_health_settings", "analysis_health"):
            connection.execute(f"delete from public.{table}".encode())
            connection.execute(f"insert into public.{table} default values".encode())


@pytest.fixture
async def clients(stack: StackVariables, database: Database, tmp_path: Path) -> AsyncIterator[list[Client]]:
    """Four, each signed in as somebody else; their jobs end at once, for the gate is open."""
    gate = tmp_path / "open"
    gate.touch()
    async with httpx.AsyncClient(base_url=stack.api_url, headers={"apikey": stack.publishable_key}) as visitor:
        sessions = [(await visitor.post("/auth/v1/signup", json={})).json() for _ in range(4)]
    opened = [
        Client(
            httpx.AsyncClient(
                base_url=stack.api_url,
                headers={"apikey": stack.publishable_key, "authorization": f"Bearer {session['access_token']}"},
                timeout=20,
            ),
            gate,
        )
        for session in sessions
    ]
    yield opened
    for client in opened:
        await client.http.aclose()


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    return Playground(tmp_path)


def worker(
    stack: StackVariables, playground: Playground, concurrency: int = 5
) -> AbstractContextManager[subprocess.Popen[str]]:
    return playground.started(
        "run",
        "--app",
        "tests.apps:app",
        PYTHONPATH=str(ROOT),
        SUPABASE_URL=stack.api_url,
        SUPABASE_SECRET_KEY=stack.secret_key,
        ANALYSIS_WORKER_CONCURRENCY=str(concurrency),
        ANALYSIS_WORKER_HEARTBEAT_SECONDS="0.5",
        ANALYSIS_WORKER_LEASE_SECONDS=str(LEASE_SECONDS),
        ANALYSIS_WORKER_RECONCILE_SECONDS="0.5",
    )


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - a database or several clients are being watched
            await anyio.sleep(POLL_SECONDS)


def ways(clients: list[Client], since: float) -> Counter[Way]:
    return Counter(delivery.way for client in clients for delivery in client.deliveries if delivery.at > since)


def running(database: Database) -> Counter[str]:
    """The gates that running jobs wait at."""
    rows = database.execute("select input ->> 'path' as gate from public.analysis_jobs where status = 'processing'")
    return Counter(row["gate"] for row in rows)


async def kill_while_running(process: subprocess.Popen[str], database: Database, gate: str) -> None:
    """Kill the worker at a moment when it runs the job at this gate and no other."""
    for _ in range(50):
        process.send_signal(signal.SIGSTOP)
        await anyio.sleep(SETTLED_SECONDS)  # what was on its way arrives
        if running(database) == Counter([gate]):
            break
        process.send_signal(signal.SIGCONT)
        await anyio.sleep(POLL_SECONDS)
    assert running(database) == Counter([gate])
    process.kill()
    process.wait(10)


def check_that_nothing_was_lost_or_done_twice(database: Database, clients: list[Client]) -> None:
    """Who was answered by a job has its one completed attempt; who was not has none, and no job waits for nobody."""
    jobs = database.execute(
        "select job.id::text, job.status, count(attempt.lease_id) filter (where attempt.outcome = 'completed') as done"
        " from public.analysis_jobs as job left join public.analysis_attempts as attempt on attempt.job_id = job.id"
        " group by job.id"
    ).fetchall()
    assert {job["id"]: (job["status"], job["done"]) for job in jobs} == {
        delivery.job_id: ("completed", 1) if delivery.way == "async" else ("cancelled", 0)
        for client in clients
        for delivery in client.deliveries
        if delivery.job_id is not None
    }


def outcomes(database: Database, gate: str) -> list[str]:
    """Of the attempts at the first job at this gate, in order."""
    rows = database.execute(
        "select attempt.outcome from public.analysis_attempts as attempt join public.analysis_jobs as job"
        " on job.id = attempt.job_id where job.input ->> 'path' = %s order by job.created_at, attempt.started_at",
        [gate],
    )
    return [row["outcome"] for row in rows]


async def test_clients_do_without_a_worker_that_died_and_come_back_with_the_next_one(
    stack: StackVariables, database: Database, playground: Playground, clients: list[Client]
) -> None:
    unlucky, *others = clients
    async with anyio.create_task_group() as group:
        with worker(stack, playground) as first:
            await unlucky.until_told(healthy=True)
            for client in clients:
                group.start_soon(client.run)
            await until(lambda: all(len(client.deliveries) >= 3 for client in clients))
            unlucky.gate = closed = playground.directory / "closed"
            await until(lambda: running(database)[str(closed)] == 1)
            assert ways(clients, since=0)["sync"] == 0
            await kill_while_running(first, database, str(closed))
            killed_at = time.monotonic()
        told = await others[0].until_told(healthy=False)
        assert told["why"] == "no_worker"
        assert time.monotonic() - killed_at < LEASE_SECONDS + CHECK_SECONDS + SLACK_SECONDS
        await until(lambda: all(ways([client], since=killed_at)["sync"] >= 3 for client in others))

        closed.touch()
        with worker(stack, playground):
            await others[0].until_told(healthy=True)
            back_at = time.monotonic()
            await until(lambda: all(ways([client], since=back_at)["async"] >= 3 for client in clients))
            for client in clients:
                client.stopping = True
            with anyio.fail_after(WAIT_SECONDS):
                for client in clients:
                    await client.stopped.wait()
    assert [client.changes() for client in others] == [["async", "sync", "async"]] * len(others)
    check_that_nothing_was_lost_or_done_twice(database, clients)
    assert outcomes(database, str(closed))[0] == "lost"
