"""Heartbeats, from a thread with an event loop of its own: a handler that blocks the worker's loop is rude, not dead.

The same thread watches that loop and logs the stack of whatever blocks it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

import anyio
import anyio.to_thread
from loguru import logger

from analysis_worker.errors import StoreError
from analysis_worker.jobs import Lease
from analysis_worker.observer import NOBODY, Observer
from analysis_worker.ports import JobStore

OpenStore: TypeAlias = Callable[[], AbstractAsyncContextManager[JobStore]]
"""Opens a store for the event loop of the caller: the worker's cannot be shared between loops."""

BLOCKED_SECONDS = 5.0
_TICK_SECONDS = 0.5
_JOIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Who beats, how often with and without jobs, and for how long one beat keeps the leases (seconds)."""

    worker_id: str
    every_seconds: float
    idle_seconds: float
    lease_seconds: float


class PulseStoppedError(RuntimeError):
    """The thread ended by itself. Without heartbeats the worker would lose its jobs, so it ends too."""


class Pulse:
    """Beats while `run` runs. `on_lost` is called in the loop of `run` with the leases that are gone."""

    def __init__(
        self,
        open_store: OpenStore,
        heartbeat: Heartbeat,
        held: Callable[[], Collection[Lease]],
        on_lost: Callable[[Collection[Lease]], None],
        observer: Observer = NOBODY,
    ) -> None:
        self._open_store = open_store
        self._heartbeat = heartbeat
        self._held = held
        self._on_lost = on_lost
        self._observer = observer
        self._ticked_at = time.monotonic()
        self._thread_loop: asyncio.AbstractEventLoop | None = None
        self._hurry = asyncio.Event()
        self._stop = asyncio.Event()

    def hurry(self) -> None:
        """Beat now: a lease may be gone."""
        self._in_thread(self._hurry.set)

    async def run(self) -> None:
        """Until cancelled. Raises PulseStoppedError where the thread ends first."""
        arguments = (asyncio.get_running_loop(), threading.get_ident())
        thread = threading.Thread(target=self._run_in_thread, args=arguments, name="pulse", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                self._ticked_at = time.monotonic()
                await anyio.sleep(_TICK_SECONDS)
                self._observer.loop_ticked(time.monotonic() - self._ticked_at - _TICK_SECONDS)
            raise PulseStoppedError("the heartbeat thread ended")
        finally:
            self._in_thread(self._stop.set)
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(thread.join, _JOIN_SECONDS)

    def _in_thread(self, act: Callable[[], None]) -> None:
        if self._thread_loop is None:
            act()  # the thread has only just been started: nobody waits there yet
        elif not self._thread_loop.is_closed():
            self._thread_loop.call_soon_threadsafe(act)

    def _run_in_thread(self, worker_loop: asyncio.AbstractEventLoop, watched: int) -> None:
        with logger.contextualize(worker_id=self._heartbeat.worker_id):
            anyio.run(self._beat_and_watch, worker_loop, watched)

    async def _beat_and_watch(self, worker_loop: asyncio.AbstractEventLoop, watched: int) -> None:
        self._thread_loop = asyncio.get_running_loop()
        async with anyio.create_task_group() as group, self._open_store() as store:
            group.start_soon(self._beat, store, worker_loop)
            group.start_soon(self._watch, watched)
            await self._stop.wait()
            group.cancel_scope.cancel()

    async def _beat(self, store: JobStore, worker_loop: asyncio.AbstractEventLoop) -> None:
        """A heartbeat without an answer is only logged: whether a lease still holds, the queue says at settling."""
        beat = self._heartbeat
        while True:
            held = self._held()
            try:
                lost = await store.heartbeat(beat.worker_id, beat.lease_seconds, held)
            except StoreError as error:
                logger.warning("heartbeat failed", error=str(error))
            else:
                if lost:
                    worker_loop.call_soon_threadsafe(self._on_lost, lost)
            with anyio.move_on_after(beat.every_seconds if held else beat.idle_seconds):
                await self._hurry.wait()
            self._hurry.clear()

    async def _watch(self, watched: int) -> None:
        reported_at = None
        while True:
            await anyio.sleep(_TICK_SECONDS)
            ticked_at = self._ticked_at
            if time.monotonic() - ticked_at > BLOCKED_SECONDS and ticked_at != reported_at:
                reported_at = ticked_at
                frame = sys._current_frames().get(watched)
                stack = "".join(traceback.format_stack(frame)[-5:]) if frame else "unknown"
                logger.error("event loop blocked", seconds=round(time.monotonic() - ticked_at, 1), stack=stack)
