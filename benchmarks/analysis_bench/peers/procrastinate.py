"""Procrastinate as its documentation has it: LISTEN/NOTIFY on, and the recipe that retries the jobs of dead workers.

https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from procrastinate import App, PsycopgConnector

from analysis_bench.peers.protocol import Job, Producer, Run


@dataclass(frozen=True, slots=True)
class Procrastinate:
    url: str

    async def install(self) -> None:
        async with _app(self.url).open_async() as app:
            await app.schema_manager.apply_schema_async()

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[Producer]:
        async with _app(self.url).open_async() as app:
            yield _Producer(app)

    async def work(self, concurrency: int, run: Run) -> None:
        app = _app(self.url)

        async def retry_stalled(timestamp: int) -> None:
            del timestamp
            for job in await app.job_manager.get_stalled_jobs():
                await app.job_manager.retry_job(job)

        app.task(run, name="job")
        app.periodic(cron="*/10 * * * *")(app.task(retry_stalled, name="retry_stalled", queueing_lock="retry_stalled"))
        async with app.open_async():
            await app.run_worker_async(concurrency=concurrency)


@dataclass(frozen=True, slots=True)
class _Producer:
    app: Any

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        deferrer = self.app.configure_task("job")
        if len(jobs) == 1:
            return [str(await deferrer.defer_async(**jobs[0].payload))]
        return [str(job_id) for job_id in await deferrer.batch_defer_async(*[job.payload for job in jobs])]

    async def cancel(self, job_id: str) -> None:
        await self.app.job_manager.cancel_job_by_id_async(int(job_id), abort=True)


def _app(url: str) -> Any:
    return App(connector=PsycopgConnector(conninfo=url))
