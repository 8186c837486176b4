"""Heartbeats: what keeps this worker's leases alive, and how it learns that one is gone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

import anyio
from loguru import logger

from analysis_worker.errors import StoreError
from analysis_worker.jobs import Lease
from analysis_worker.ports import JobStore


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Who beats, how often, and for how long one beat keeps the leases (seconds)."""

    worker_id: str
    every_seconds: float
    lease_seconds: float


class Pulse:
    """When the next heartbeat is due: at its time, or now because somebody said that a lease may be gone."""

    def __init__(self) -> None:
        self._hurry = anyio.Event()

    def hurry(self) -> None:
        self._hurry.set()

    async def wait(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self._hurry.wait()
        self._hurry = anyio.Event()


async def keep_leases(
    store: JobStore,
    heartbeat: Heartbeat,
    pulse: Pulse,
    held: Callable[[], Collection[Lease]],
    on_lost: Callable[[Collection[UUID]], None],
) -> None:
    """Send one heartbeat for all leases at a time, until cancelled.

    A heartbeat that gets no answer is only logged: whether a lease still holds is for the queue to say, at settling.
    """
    while True:
        try:
            lost = await store.heartbeat(heartbeat.worker_id, heartbeat.lease_seconds, held())
        except StoreError as error:
            logger.warning("heartbeat failed", error=str(error))
        else:
            if lost:
                on_lost(lost)
        await pulse.wait(heartbeat.every_seconds)
