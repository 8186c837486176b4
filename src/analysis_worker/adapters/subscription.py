"""One Realtime client with its channels, from connecting to closing. Used once, never reconnected."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import Enum, auto
from typing import Any

import anyio
from realtime import (
    AsyncRealtimeChannel,
    AsyncRealtimeClient,
    NotConnectedError,
    RealtimeChannelOptions,
    RealtimePostgresChangesListenEvent,
    RealtimeSubscribeStates,
)
from realtime.types import RealtimeChannelConfig
from websockets.exceptions import WebSocketException

from analysis_worker.adapters.listening import id_in, seconds_in
from analysis_worker.ports import Listener
from analysis_worker.wakes import WakeReason

DOORBELL_TOPIC = "analysis_jobs"
"""The private topic on which the database announces new jobs and cancels; see the migrations."""

CONNECTION_ERRORS = (OSError, TimeoutError, WebSocketException, NotConnectedError)
"""What the library raises when there is no connection, or no longer."""

_SCHEMA, _TABLE = "public", "analysis_jobs"
_PRIVATE = RealtimeChannelOptions(
    config=RealtimeChannelConfig(
        broadcast={"ack": False, "self": False, "replication_ready": True},
        presence={"key": "", "enabled": False},
        private=True,
    )
)
_HEARTBEAT_SECONDS = 25
_CLOSE_SECONDS = 2.0


class Signal(Enum):
    READY = auto()
    BROKEN = auto()
    DOORBELL_READY = auto()
    DOORBELL_REFUSED = auto()


class Subscription:
    """Rings the listener itself; what concerns the connection comes as signals.

    Every callback runs inside the client's receive loop, which an exception would end without anybody noticing: they
    pass on a word and do nothing that can fail.
    """

    def __init__(self, url: str, key: str, listener: Listener) -> None:
        self._client = AsyncRealtimeClient(
            url, key, auto_reconnect=False, max_retries=1, hb_interval=_HEARTBEAT_SECONDS
        )
        self._listener = listener
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self._doorbell: AsyncRealtimeChannel | None = None

    async def open(self, topic: str) -> None:
        """Connect and join `topic` for the changes of the table. Raises OSError or WebSocketException."""
        await self._client.connect()
        channel = self._client.channel(topic)
        channel.on_system(lambda _: self._signals.put_nowait(Signal.READY))
        channel.on_postgres_changes(
            RealtimePostgresChangesListenEvent.Insert, self._on_insert, _TABLE, _SCHEMA, "status=eq.pending"
        )
        channel.on_postgres_changes(
            RealtimePostgresChangesListenEvent.Update, self._on_cancelled, _TABLE, _SCHEMA, "status=eq.cancelled"
        )
        await channel.subscribe(self._on_status)

    async def join_doorbell(self) -> None:
        """Join the private topic too; a refusal is a signal, no error: the changes come anyway, only later."""
        self._doorbell = self._client.channel(DOORBELL_TOPIC, _PRIVATE)
        # A cold server loses broadcasts between the join and this message.
        self._doorbell.on_system(lambda _: self._listener.woken(WakeReason.SWEEP))
        self._doorbell.on_broadcast("job", self._on_doorbell)
        self._doorbell.on_broadcast("cancelled", self._on_doorbell_cancelled)
        await self._doorbell.subscribe(self._on_doorbell_status)

    async def leave_doorbell(self) -> None:
        """After a refusal: the client would ask again for ever."""
        if self._doorbell is not None:
            await self._client.remove_channel(self._doorbell)

    async def next_signal(self, within_seconds: float) -> Signal | None:
        with anyio.move_on_after(within_seconds):
            return await self._signals.get()
        return None

    @property
    def is_alive(self) -> bool:
        """The receive loop can die while the client still calls itself connected; only its own attribute tells."""
        loop = self._client._listen_task
        return self._client.is_connected and loop is not None and not loop.done()

    async def close(self) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_SECONDS), suppress(*CONNECTION_ERRORS):
            await self._client.close()

    def _on_status(self, status: RealtimeSubscribeStates, _: Exception | None) -> None:
        if status is not RealtimeSubscribeStates.SUBSCRIBED:
            self._signals.put_nowait(Signal.BROKEN)

    def _on_doorbell_status(self, status: RealtimeSubscribeStates, _: Exception | None) -> None:
        is_joined = status is RealtimeSubscribeStates.SUBSCRIBED
        self._signals.put_nowait(Signal.DOORBELL_READY if is_joined else Signal.DOORBELL_REFUSED)

    def _on_insert(self, change: Any) -> None:
        self._listener.woken(WakeReason.REALTIME, id_in(change, "data", "record", "id"))

    def _on_doorbell(self, message: Any) -> None:
        due_in = seconds_in(message, "payload", "due_in_seconds")
        self._listener.woken(WakeReason.DOORBELL, id_in(message, "payload", "job_id"), due_in)

    def _on_doorbell_cancelled(self, message: Any) -> None:
        self._listener.cancelled(id_in(message, "payload", "job_id"))

    def _on_cancelled(self, change: Any) -> None:
        job_id = id_in(change, "data", "record", "id")
        if job_id is not None:
            self._listener.cancelled(job_id)
