"""SAQ on Postgres with its defaults, except that a job may run twice: else one whose worker died would be aborted.

https://saq-py.readthedocs.io/
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from saq import Queue, Worker

from analysis_bench.peers.protocol import Job, Producer, Run

AT_ONCE = 20
"""Jobs enqueued at a time where there are many; as many as its pool has connections."""


@dataclass(frozen=True, slots=True)
class Saq:
    url: str

    async def install(self) -> None:
        queue = Queue.from_url(self.url)
        await queue.connect()
        await queue.disconnect()

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[Producer]:
        queue = Queue.from_url(self.url)
        await queue.connect()
        yield _Producer(queue)
        await queue.disconnect()

    async def work(self, concurrency: int, run: Run) -> None:
        async def job(_: object, *, number: int, seconds: float) -> None:
            await run(number, seconds)

        queue = Queue.from_url(self.url)
        await queue.connect()
        await Worker(queue, functions=[("job", job)], concurrency=concurrency).start()


@dataclass(frozen=True, slots=True)
class _Producer:
    queue: Any

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(job: Job) -> str:
            async with limit:  # `key` is a word of its own there
                return str((await self.queue.enqueue("job", number=job.key, seconds=job.seconds, retries=2)).id)

        return await asyncio.gather(*map(one, jobs))

    async def cancel(self, job_id: str) -> None:
        job = await self.queue.job(job_id.removeprefix(f"saq:job:{self.queue.name}:"))
        await job.abort("cancelled")
