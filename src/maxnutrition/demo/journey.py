"""The journey of one request: sign in, upload, enqueue, watch, and the times it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
from loguru import logger
from supabase import AsyncClient, acreate_client

from analysis_worker.client import AnalysisClient, JobView
from maxnutrition.demo.request import DemoFile, DemoRequest

if TYPE_CHECKING:
    from loguru import Message

BUCKET = "analysis-inputs"
_WAKES = {"doorbell": "realtime"}
"""The doorbell is Realtime too, only quicker."""


@dataclass(slots=True)
class WorkerEvents:
    """Hears, in this process's log, when the worker is listening, and what woke it for which job, and when."""

    ready: anyio.Event = field(default_factory=anyio.Event)
    claimed_at: dict[str, float] = field(default_factory=dict)
    woken_by: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def listening(self) -> Iterator[None]:
        sink = logger.add(self._hear, level="INFO", format="")
        try:
            yield
        finally:
            logger.remove(sink)

    def _hear(self, message: Message) -> None:
        extra = message.record["extra"]
        match message.record["message"]:
            case "realtime" if extra["state"] == "ready":
                self.ready.set()
            case "claimed":
                self.claimed_at.setdefault(extra["job_id"], perf_counter())
                self.woken_by.setdefault(extra["job_id"], _WAKES.get(extra["woken_by"], extra["woken_by"]))


@dataclass(frozen=True, slots=True)
class Journey:
    """A finished job with its times in milliseconds; pickup and run are None where no worker claimed it."""

    type: str
    job: JobView
    woken_by: str | None
    timings: dict[str, float | None]


async def travel(
    api_url: str, anon_key: str, request: DemoRequest, events: WorkerEvents, show: Callable[[JobView], None]
) -> Journey:
    """Send `request` through as a new anonymous user; `show` sees every state of the job."""
    supabase = await acreate_client(api_url, anon_key)
    try:
        return await _travel(supabase, request, events, show)
    finally:
        await supabase.realtime.close()
        await supabase.auth.sign_out()


async def _travel(
    supabase: AsyncClient, request: DemoRequest, events: WorkerEvents, show: Callable[[JobView], None]
) -> Journey:
    session = await supabase.auth.sign_in_anonymously()
    assert session.user is not None
    started_at = perf_counter()
    stored = None if request.file is None else await _upload(supabase, session.user.id, request.file)
    client = AnalysisClient(supabase)
    enqueueing_at = perf_counter()
    job = await client.enqueue(request.type, request.input(stored))
    enqueued_at = perf_counter()
    async for view in client.watch(job.id):
        job = view
        show(view)
    ended_at = perf_counter()
    claimed_at = events.claimed_at.get(str(job.id))
    timings = {
        "enqueue_ms": _ms(enqueueing_at, enqueued_at),
        "pickup_ms": _ms(enqueued_at, claimed_at),
        "run_ms": None if claimed_at is None else _ms(claimed_at, ended_at),
        "total_ms": _ms(started_at, ended_at),
    }
    return Journey(request.type, job, events.woken_by.get(str(job.id)), timings)


async def _upload(supabase: AsyncClient, user_id: str, file: DemoFile) -> dict[str, str]:
    path = f"{user_id}/{uuid4()}"
    await supabase.storage.from_(BUCKET).upload(path, file.content, {"content-type": file.mime_type})
    return {"bucket": BUCKET, "path": path}


def _ms(start: float, end: float | None) -> float | None:
    """Never negative: a worker can be quicker than the answer to who called it."""
    return None if end is None else round(max(0.0, end - start) * 1000, 1)
