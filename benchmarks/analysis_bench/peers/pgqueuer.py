"""PGQueuer over asyncpg, with its default batch of ten, or of half the concurrency where that is smaller.

A limit of concurrency, which 0 leaves away, has to have room for two batches: https://pgqueuer.readthedocs.io/en/latest/
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Context
from pgqueuer.models import Job as PgqJob
from pgqueuer.queries import Queries

from analysis_bench.peers.protocol import Job, Producer, Run

BATCH = 10


@dataclass(frozen=True, slots=True)
class Pgqueuer:
    url: str

    async def install(self) -> None:
        connection = await asyncpg.connect(self.url)
        await Queries(AsyncpgDriver(connection)).install()
        await connection.close()

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[Producer]:
        connection = await asyncpg.connect(self.url)
        try:
            yield _Producer(Queries(AsyncpgDriver(connection)))
        finally:
            await connection.close()

    async def work(self, concurrency: int, run: Run) -> None:
        queue = PgQueuer.from_asyncpg_connection(await asyncpg.connect(self.url))

        async def handle(job: PgqJob, context: Context) -> None:
            payload = json.loads(job.payload or b"{}")
            with context.cancellation:
                await run(payload["key"], payload["seconds"])

        queue.entrypoint("job", accepts_context=True)(handle)
        batch = min(BATCH, max(1, concurrency // 2)) if concurrency else BATCH
        await queue.run(batch_size=batch, max_concurrent_tasks=max(concurrency, 2 * batch) if concurrency else None)


@dataclass(frozen=True, slots=True)
class _Producer:
    queries: Any

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        payloads = [json.dumps(job.payload).encode() for job in jobs]
        ids = await self.queries.enqueue(["job"] * len(jobs), payloads, [0] * len(jobs))
        return [str(job_id) for job_id in ids]

    async def cancel(self, job_id: str) -> None:
        await self.queries.mark_job_as_cancelled([int(job_id)])
