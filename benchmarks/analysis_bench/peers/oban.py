"""Oban for Python with its defaults: its own pool, LISTEN/NOTIFY, and a leader that rescues.

https://oban.pro/docs/py/
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import oban
from oban.schema import install

from analysis_bench.peers.protocol import Job, Producer, Run


class Sleeper:
    run: ClassVar[Run]

    async def process(self, job: Any) -> None:
        await type(self).run(job.args["key"], job.args["seconds"])


_SLEEPER: Any = oban.worker()(Sleeper)


@dataclass(frozen=True, slots=True)
class Oban:
    url: str

    async def install(self) -> None:
        async with await oban.Oban.create_pool(self.url) as pool:
            await install(pool)

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[Producer]:
        async with await oban.Oban.create_pool(self.url) as pool, oban.Oban(pool=pool) as client:
            yield _Producer(client)

    async def work(self, concurrency: int, run: Run) -> None:
        _SLEEPER.run = run
        async with (
            await oban.Oban.create_pool(self.url) as pool,
            oban.Oban(pool=pool, queues={"default": concurrency}),
        ):
            await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class _Producer:
    client: Any

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        new = [_SLEEPER.new(job.payload) for job in jobs]
        if len(new) == 1:
            return [str((await self.client.enqueue(new[0])).id)]
        return [str(job.id) for job in await self.client.enqueue_many(new)]

    async def cancel(self, job_id: str) -> None:
        raise NotImplementedError
