"""The worker's ear: Supabase Realtime, kept listening whatever the server, the network or the client library do.

The library is used for one connection at a time and never to reconnect. After any trouble the whole client is thrown
away and a new one joins under a new topic, because a channel that was closed once stays deaf. What is heard is only a
hint: whenever rows may have been missed, the listener is told to look for itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import anyio
from loguru import logger
from websockets.exceptions import InvalidStatus

from analysis_worker.adapters.listening import Readiness
from analysis_worker.adapters.subscription import CONNECTION_ERRORS, Signal, Subscription
from analysis_worker.backoff import Backoff
from analysis_worker.observer import NOBODY, Observer
from analysis_worker.ports import Listener
from analysis_worker.wakes import ListenerState, WakeReason

_BACKOFF = Backoff(first=1.0, cap=8.0)  # after an outage of any length events come again within ten seconds
_UNAUTHORIZED = 401


class _End(Enum):
    """How one connection ended."""

    NEVER_READY = auto()
    TROUBLE = auto()
    OLD_AGE = auto()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds."""

    ready: float = 15.0  # from connecting to the system message; a cold server takes 3
    watchdog: float = 5.0
    clock_jump: float = 30.0  # difference between wall clock and monotonic clock: this machine slept
    lifetime: float = 12 * 3600.0  # public connections are cut after 24 h


class RealtimeWakeSource:
    """WakeSource over `postgres_changes` and, where the database offers it, the quicker doorbell."""

    def __init__(
        self,
        url: str,
        key: Callable[[], str],
        name: str,
        patience: Patience | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        """`url` is the project's; `key` is asked before every connection; `name` makes the topics its own."""
        self._url = f"{url}/realtime/v1"
        self._key = key
        self._name = name
        self._patience = patience or Patience()
        self._readiness = Readiness("realtime", observer)
        self._distrusted = False
        self._retired: Subscription | None = None

    @property
    def state(self) -> ListenerState:
        return self._readiness.state

    @property
    def ready_seconds(self) -> float:
        return self._readiness.seconds

    def distrust(self) -> None:
        self._distrusted = True
        self._readiness.enter(ListenerState.DEGRADED)

    async def run(self, listener: Listener) -> None:
        failures = generation = 0
        try:
            while True:
                generation += 1
                self._distrusted = False
                end = await self._listen(generation, listener)
                if end is _End.OLD_AGE:
                    continue
                failures = 1 if end is _End.TROUBLE else failures + 1
                if self._retired is None or not self._retired.is_alive:
                    self._readiness.enter(ListenerState.DEGRADED)
                    listener.woken(WakeReason.SWEEP)
                await anyio.sleep(_BACKOFF.delay(failures, random.random))
        finally:
            self._readiness.enter(ListenerState.CLOSED)
            await self._close_retired()

    async def _listen(self, generation: int, listener: Listener) -> _End:
        """From connecting to the first trouble or to old age, which leaves the connection open for the next one."""
        end = _End.NEVER_READY
        subscription: Subscription | None = None
        try:
            subscription = Subscription(self._url, self._key(), listener)
            async with anyio.create_task_group() as group:
                with anyio.fail_after(self._patience.ready):
                    await subscription.open(f"{self._name}-{generation}")
                group.start_soon(subscription.join_doorbell)
                end = await self._attend(subscription, listener)
                group.cancel_scope.cancel()
        except* CONNECTION_ERRORS as errors:
            _log_unreachable(errors)
        finally:
            if end is _End.OLD_AGE:
                self._retired = subscription
            elif subscription is not None:
                await subscription.close()
        return end

    async def _attend(self, subscription: Subscription, listener: Listener) -> _End:
        patience = self._patience
        started_at = anyio.current_time()
        lifetime = patience.lifetime * (0.9 + 0.2 * random.random())  # noqa: S311 - workers must not recycle together
        clocks = time.time() - time.monotonic()
        end = _End.NEVER_READY
        while subscription.is_alive and not self._distrusted:
            signal = await subscription.next_signal(patience.watchdog)
            if signal is Signal.BROKEN:
                break
            if signal is Signal.READY:
                end = _End.TROUBLE
                await self._become_ready(listener)
            elif signal is not None:
                await _attend_doorbell(signal, subscription)
            age = anyio.current_time() - started_at
            if end is _End.NEVER_READY and age > patience.ready:
                logger.warning("realtime joined and never became ready")
                break
            if abs(time.time() - time.monotonic() - clocks) > patience.clock_jump:
                logger.warning("the clock jumped, connecting anew")
                break
            if end is _End.TROUBLE and age > lifetime:
                return _End.OLD_AGE
        return end

    async def _become_ready(self, listener: Listener) -> None:
        """Events before this moment may be lost; an older connection that waited for it can go."""
        self._readiness.enter(ListenerState.READY)
        listener.woken(WakeReason.SWEEP)
        await self._close_retired()

    async def _close_retired(self) -> None:
        retired, self._retired = self._retired, None
        if retired is not None:
            await retired.close()


async def _attend_doorbell(signal: Signal, subscription: Subscription) -> None:
    logger.info("doorbell", state="ready" if signal is Signal.DOORBELL_READY else "refused")
    if signal is Signal.DOORBELL_REFUSED:
        await subscription.leave_doorbell()


def _log_unreachable(error: BaseException) -> None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, InvalidStatus) and error.response.status_code == _UNAUTHORIZED:
        logger.error("realtime refused the key, polling until it takes it")
    else:
        logger.warning("realtime not reachable", error=type(error).__name__)


class NoWakeSource:
    """For workers without Realtime: hears nothing and is never ready, so the dispatcher polls."""

    state = ListenerState.CLOSED
    ready_seconds = 0.0

    def distrust(self) -> None:
        """Nobody trusted it."""

    async def run(self, listener: Listener) -> None:
        del listener
        await anyio.sleep_forever()
