"""The INSERT subscription on `analysis_jobs` over Supabase Realtime.

The client library is used for one connection at a time and never to reconnect: after any trouble the whole client is
thrown away and a new one joins under a new topic, because a channel that was closed once stays deaf.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import assert_never

import anyio
from loguru import logger
from realtime import AsyncRealtimeClient, RealtimePostgresChangesListenEvent, RealtimeSubscribeStates
from websockets.exceptions import WebSocketException

from analysis_worker.backoff import Backoff
from analysis_worker.wakes import ListenerState, WakeReason

_BACKOFF = Backoff(first=1.0, cap=30.0)
_READY_SECONDS = 15.0
_WATCHDOG_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_HEARTBEAT_SECONDS = 25


class _Signal(Enum):
    INSERT = auto()
    READY = auto()
    BROKEN = auto()


class RealtimeWakeSource:
    """WakeSource that rings REALTIME for each announced row, and SWEEP whenever rows may have been missed."""

    def __init__(self, url: str, key: str, name: str) -> None:
        """`url` is the project's; `name` makes the topics of this listener its own."""
        self._url = f"{url}/realtime/v1"
        self._key = key
        self._name = name
        self._state = ListenerState.CONNECTING

    @property
    def state(self) -> ListenerState:
        return self._state

    async def run(self, ring: Callable[[WakeReason], None]) -> None:
        failures = 0
        generation = 0
        try:
            while True:
                generation += 1
                was_ready = await self._listen_once(f"{self._name}-{generation}", ring)
                failures = 1 if was_ready else failures + 1
                self._enter(ListenerState.DEGRADED)
                ring(WakeReason.SWEEP)
                await anyio.sleep(_BACKOFF.delay(failures, random.random))
        finally:
            self._enter(ListenerState.CLOSED)

    async def _listen_once(self, topic: str, ring: Callable[[WakeReason], None]) -> bool:
        """One client from connection to its first trouble; True where it was ready in between."""
        client = AsyncRealtimeClient(
            self._url, self._key, auto_reconnect=False, max_retries=1, hb_interval=_HEARTBEAT_SECONDS
        )
        signals: asyncio.Queue[_Signal] = asyncio.Queue()
        try:
            with anyio.fail_after(_READY_SECONDS):
                await _subscribe(client, topic, signals)
            return await self._relay(client, signals, ring)
        except (OSError, TimeoutError, WebSocketException) as error:
            logger.warning("realtime not reachable", error=type(error).__name__)
            return False
        finally:
            with (
                anyio.CancelScope(shield=True),
                anyio.move_on_after(_CLOSE_SECONDS),
                suppress(WebSocketException, OSError),
            ):
                await client.close()

    async def _relay(
        self, client: AsyncRealtimeClient, signals: asyncio.Queue[_Signal], ring: Callable[[WakeReason], None]
    ) -> bool:
        is_ready = False
        ready_by = anyio.current_time() + _READY_SECONDS
        while True:
            with anyio.move_on_after(_WATCHDOG_SECONDS):
                signal = await signals.get()
                match signal:
                    case _Signal.INSERT:
                        ring(WakeReason.REALTIME)
                    case _Signal.READY:
                        is_ready = True
                        self._enter(ListenerState.READY)
                        ring(WakeReason.SWEEP)
                    case _Signal.BROKEN:
                        return is_ready
                    case _:
                        assert_never(signal)
            if not client.is_connected or _loop_is_dead(client):
                return is_ready
            if not is_ready and anyio.current_time() > ready_by:
                logger.warning("realtime joined but never became ready")
                return False

    def _enter(self, state: ListenerState) -> None:
        if state is not self._state:
            self._state = state
            logger.info("realtime", state=state.value)


async def _subscribe(client: AsyncRealtimeClient, topic: str, signals: asyncio.Queue[_Signal]) -> None:
    """Join `topic`. The callbacks run inside the client's receive loop: they queue a word and do nothing else."""

    def on_insert(_: object) -> None:
        signals.put_nowait(_Signal.INSERT)

    def on_system(_: object) -> None:
        signals.put_nowait(_Signal.READY)

    def on_status(status: RealtimeSubscribeStates, _: Exception | None) -> None:
        if status is not RealtimeSubscribeStates.SUBSCRIBED:
            signals.put_nowait(_Signal.BROKEN)

    await client.connect()
    channel = client.channel(topic)
    channel.on_system(on_system)
    channel.on_postgres_changes(
        RealtimePostgresChangesListenEvent.Insert,
        on_insert,
        table="analysis_jobs",
        schema="public",
        filter="status=eq.pending",
    )
    await channel.subscribe(on_status)


def _loop_is_dead(client: AsyncRealtimeClient) -> bool:
    """The receive loop can die while the client still calls itself connected; only its own attribute tells."""
    listen = client._listen_task
    return listen is None or listen.done()


class NoWakeSource:
    """For workers without Realtime: rings nothing, is never ready, so the dispatcher polls."""

    @property
    def state(self) -> ListenerState:
        return ListenerState.CLOSED

    async def run(self, ring: Callable[[WakeReason], None]) -> None:
        del ring
        await anyio.sleep_forever()
