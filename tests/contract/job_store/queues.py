"""Queues under test: what the contract needs to do to one besides asking it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import psycopg
from aiohttp import web
from psycopg.types.json import Jsonb

from analysis_worker.adapters.memory import MemoryJobStore
from analysis_worker.adapters.postgres import open_job_store, read_database_url
from analysis_worker.adapters.postgrest import PostgrestJobStore, new_http_client
from analysis_worker.ports import JobStore
from supabase_local.keys import new_keys
from supabase_local.rest import create_rest_app

TYPE = "contract_test"


class Queue(Protocol):
    @property
    def store(self) -> JobStore: ...

    async def enqueue(self, max_attempts: int = 3) -> UUID: ...

    async def cancel(self, job_id: UUID) -> None: ...

    async def pass_time(self, seconds: float) -> None:
        """Everything in the queue becomes older."""
        ...

    async def row(self, job_id: UUID) -> dict[str, Any]:
        """status, attempt, progress, phase, result, error."""
        ...


class MemoryQueue:
    def __init__(self) -> None:
        self._offset = timedelta()
        self.store = MemoryJobStore(lambda: datetime.now(UTC) + self._offset)

    async def enqueue(self, max_attempts: int = 3) -> UUID:
        return self.store.enqueue(TYPE, {"n": 1}, max_attempts=max_attempts).id

    async def cancel(self, job_id: UUID) -> None:
        self.store.cancel(job_id)

    async def pass_time(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    async def row(self, job_id: UUID) -> dict[str, Any]:
        job = self.store.jobs[job_id]
        return {name: getattr(job, name) for name in ("status", "attempt", "progress", "phase", "result", "error")}


@dataclass
class DatabaseQueue:
    store: JobStore
    database: psycopg.AsyncConnection[dict[str, Any]]

    async def enqueue(self, max_attempts: int = 3) -> UUID:
        statement = "insert into public.analysis_jobs (type, input, max_attempts) values (%s, %s, %s) returning id"
        cursor = await self.database.execute(statement, (TYPE, Jsonb({"n": 1}), max_attempts))
        row = await cursor.fetchone()
        assert row is not None
        job_id: UUID = row["id"]
        return job_id

    async def cancel(self, job_id: UUID) -> None:
        async with self.database.transaction():
            await self.database.execute("set local role service_role")
            await self.database.execute("select public.cancel_analysis(%s)", (job_id,))

    async def pass_time(self, seconds: float) -> None:
        past = timedelta(seconds=seconds)
        for column in ("scheduled_at", "deadline_at"):
            await self.database.execute(f"update public.analysis_jobs set {column} = {column} - %s", (past,))
        await self.database.execute("update public.analysis_workers set heartbeat_at = heartbeat_at - %s", (past,))

    async def row(self, job_id: UUID) -> dict[str, Any]:
        columns = "status, attempt, progress, phase, result, error"
        cursor = await self.database.execute(f"select {columns} from public.analysis_jobs where id = %s", (job_id,))
        row = await cursor.fetchone()
        assert row is not None
        return row


@asynccontextmanager
async def postgrest_queue(url: str, authenticator_url: str) -> AsyncIterator[DatabaseQueue]:
    """The migrated database at `url` behind a REST server of its own."""
    keys = new_keys()
    app = web.Application()
    app.add_subapp("/rest/v1", create_rest_app(authenticator_url, keys.jwt_secret))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with (
            new_http_client(f"http://{host}:{port}", lambda: keys.service_role_key) as client,
            _prepared(url) as database,
        ):
            yield DatabaseQueue(PostgrestJobStore(client), database)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def postgres_queue(url: str, worker_url: str) -> AsyncIterator[DatabaseQueue]:
    """The migrated database at `url`, asked as the role in `worker_url`."""
    async with _prepared(url) as database, open_job_store(read_database_url(worker_url)) as store:
        yield DatabaseQueue(store, database)


@asynccontextmanager
async def _prepared(url: str) -> AsyncIterator[psycopg.AsyncConnection[dict[str, Any]]]:
    connect = psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=psycopg.rows.dict_row)
    async with await connect as database:
        await database.execute("insert into public.analysis_types (type, timeout_seconds) values (%s, 60)", (TYPE,))
        yield database
