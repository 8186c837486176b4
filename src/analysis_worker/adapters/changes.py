"""A hint that some job's row has changed, for whoever then asks the queue what is new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import anyio
from realtime import AsyncRealtimeClient, RealtimePostgresChangesListenEvent

from analysis_worker.adapters.subscription import CONNECTION_ERRORS

_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 2.0


@asynccontextmanager
async def hearing_changes(url: str, key: str, token: str | None = None) -> AsyncIterator[asyncio.Event]:
    """An event, set at every change of `analysis_jobs` that `token` (else `key`) may see, and once when ready for them.

    `url` is the project's. Where Realtime cannot be reached the event stays unset: it is a hint, and nobody may wait
    for it alone.
    """
    changed = asyncio.Event()
    client: AsyncRealtimeClient | None = None
    try:
        with suppress(*CONNECTION_ERRORS), anyio.move_on_after(_OPEN_SECONDS):
            client = AsyncRealtimeClient(f"{url}/realtime/v1", key)
            await client.set_auth(token or key)
            await client.connect()
            channel = client.channel(f"changes-{uuid4()}")
            channel.on_system(lambda _: changed.set())
            channel.on_postgres_changes(
                RealtimePostgresChangesListenEvent.All, lambda _: changed.set(), table="analysis_jobs", schema="public"
            )
            await channel.subscribe()
        yield changed
    finally:
        if client is not None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_SECONDS), suppress(*CONNECTION_ERRORS):
                await client.close()
