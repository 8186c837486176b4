"""The worker's ear next to the database: LISTEN on a connection of its own. Needs the extra `postgres`."""

from __future__ import annotations

import json
import random

import anyio
import psycopg
from loguru import logger

from analysis_worker.adapters.listening import Readiness, id_in, seconds_in
from analysis_worker.backoff import Backoff
from analysis_worker.observer import NOBODY, Observer
from analysis_worker.ports import Listener
from analysis_worker.wakes import ListenerState, WakeReason

_BACKOFF = Backoff(first=0.5, cap=15.0)
_READY_SECONDS = 10.0
# Nobody is notified who does not hold the lock; see the migrations.
_LISTEN = ("select pg_advisory_lock_shared(hashtextextended('analysis_jobs.listen', 0))", "listen analysis_jobs")


class ListenWakeSource:
    """WakeSource over the database's notifications. A dead connection is found by TCP, a deaf one by the canary."""

    def __init__(self, conninfo: str, observer: Observer = NOBODY) -> None:
        """`conninfo` is one of `read_database_url`."""
        self._conninfo = conninfo
        self._readiness = Readiness("listen", observer)
        self._trust = anyio.CancelScope()

    @property
    def state(self) -> ListenerState:
        return self._readiness.state

    @property
    def ready_seconds(self) -> float:
        return self._readiness.seconds

    def distrust(self) -> None:
        self._readiness.enter(ListenerState.DEGRADED)
        self._trust.cancel()

    async def run(self, listener: Listener) -> None:
        failures = 0
        try:
            while True:
                self._trust = anyio.CancelScope()
                try:
                    with self._trust:
                        await self._listen(listener)
                except (psycopg.Error, TimeoutError) as error:
                    logger.warning("database not reachable", error=type(error).__name__)
                failures = 1 if self._readiness.seconds > 0 else failures + 1
                self._readiness.enter(ListenerState.DEGRADED)
                listener.woken(WakeReason.SWEEP)
                await anyio.sleep(_BACKOFF.delay(failures, random.random))
        finally:
            self._readiness.enter(ListenerState.CLOSED)

    async def _listen(self, listener: Listener) -> None:
        """Until the connection breaks. Ready once LISTEN is committed: nothing later can be missed."""
        with anyio.fail_after(_READY_SECONDS):
            connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        try:
            with anyio.fail_after(_READY_SECONDS):
                for statement in _LISTEN:
                    await connection.execute(statement)
            self._readiness.enter(ListenerState.READY)
            listener.woken(WakeReason.SWEEP)
            while True:
                async for notice in connection.notifies(timeout=0):
                    _pass_on(notice.payload, listener)
                await anyio.wait_readable(connection.fileno())  # notifies() alone would look ten times a second
        finally:
            await connection.close()  # as a context it would say goodbye first, which nobody cancelled gets to


def _pass_on(payload: str, listener: Listener) -> None:
    try:
        message = json.loads(payload)
    except ValueError:
        message = None
    job_id = id_in(message, "job_id")
    match message:
        case {"event": "cancelled"}:
            listener.cancelled(job_id)
        case _:
            listener.woken(WakeReason.DOORBELL, job_id, seconds_in(message, "due_in_seconds"))
