"""For Python callers: enqueue an analysis as the signed-in user, watch it, cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import anyio
from pydantic import BaseModel, ConfigDict
from realtime import RealtimePostgresChangesListenEvent
from supabase import AsyncClient

from analysis_worker.jobs import JobStatus

_POLL_SECONDS = 2.0


class JobError(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    code: str
    message: str


class JobView(BaseModel):
    """A job as its owner sees it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: UUID
    status: JobStatus
    cached: bool = False
    progress: float | None = None
    phase: str | None = None
    partial: str | None = None
    result: dict[str, Any] | None = None
    error: JobError | None = None


class AnalysisClient:
    """`supabase` must be signed in; errors of the queue arrive as `postgrest.APIError`."""

    def __init__(self, supabase: AsyncClient) -> None:
        self._supabase = supabase

    async def enqueue(
        self,
        type: str,
        input: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        scheduled_at: datetime | None = None,
    ) -> JobView:
        """A time without a zone is UTC; without a time the job is due now."""
        arguments = {
            "type": type,
            "input": dict(input),
            "idempotency_key": idempotency_key or str(uuid4()),
            "scheduled_at": scheduled_at and scheduled_at.isoformat(),
        }
        return await self._view("enqueue_analysis", arguments)

    async def get(self, job_id: UUID) -> JobView:
        return await self._view("get_analysis_status", {"job_id": str(job_id)})

    async def cancel(self, job_id: UUID) -> JobView:
        return await self._view("cancel_analysis", {"job_id": str(job_id)})

    async def watch(self, job_id: UUID, poll_seconds: float = _POLL_SECONDS) -> AsyncGenerator[JobView]:
        """Each state of the job that differs from the one before, the terminal one last.

        Realtime says when to look; every `poll_seconds` we look anyway.
        """
        last: JobView | None = None
        async with self._changes(job_id) as changed:
            while last is None or not last.status.is_terminal:
                view = await self.get(job_id)
                if view != last:
                    last = view
                    yield view
                    continue
                with anyio.move_on_after(poll_seconds):
                    await changed.wait()
                changed.clear()

    async def wait(self, job_id: UUID, timeout_seconds: float | None = None) -> JobView:
        """The job at its end, whatever that is. Raises TimeoutError; the job goes on then."""
        with anyio.fail_after(timeout_seconds):
            async with aclosing(self.watch(job_id)) as views:
                async for view in views:
                    last = view
        return last

    @asynccontextmanager
    async def _changes(self, job_id: UUID) -> AsyncIterator[asyncio.Event]:
        """An event set whenever the job's row may have changed."""
        changed = asyncio.Event()
        channel = self._supabase.channel(f"analysis-{job_id}-{uuid4()}")
        channel.on_system(lambda _: changed.set())
        channel.on_postgres_changes(
            RealtimePostgresChangesListenEvent.Update,
            lambda _: changed.set(),
            table="analysis_jobs",
            schema="public",
            filter=f"id=eq.{job_id}",
        )
        await channel.subscribe(lambda *_: changed.set())
        try:
            yield changed
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_POLL_SECONDS):
                await self._supabase.remove_channel(channel)

    async def _view(self, function: str, arguments: dict[str, Any]) -> JobView:
        response = await self._supabase.rpc(function, arguments).execute()
        return JobView.model_validate(response.data)
