"""The running machine: listener, dispatcher, reconciler, heartbeats and jobs, from start to polite end."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

import anyio
from loguru import logger

from analysis_worker.bell import Bell
from analysis_worker.dispatcher import Claims, Dispatcher
from analysis_worker.errors import StoreError
from analysis_worker.executor import Executor, Workshop
from analysis_worker.handlers import AnyHandler, by_type
from analysis_worker.lease import Heartbeat, OpenStore, Pulse
from analysis_worker.observer import NOBODY, Observer
from analysis_worker.outcomes import Settlement
from analysis_worker.ports import JobStore, WakeSource
from analysis_worker.processes import open_processes
from analysis_worker.reconciler import reconcile_forever
from analysis_worker.settings import Settings
from analysis_worker.wakes import WakeReason

_RELEASE_SECONDS = 10.0
_IDLE_MARGIN_SECONDS = 5.0
_DEREGISTER_SECONDS = 5.0


def new_worker_id() -> str:
    return f"{socket.gethostname()}-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The queue, who notices new jobs in it, and who is told what the worker does."""

    open_store: OpenStore
    wake_source: WakeSource
    observer: Observer = NOBODY


@dataclass(frozen=True, slots=True)
class _Ears:
    """What the wake source hears, passed on to whom it concerns."""

    dispatcher: Dispatcher
    executor: Executor
    pulse: Pulse

    def woken(self, reason: WakeReason, job_id: UUID | None = None, due_in_seconds: float = 0.0) -> None:
        self.dispatcher.woken(reason, job_id, due_in_seconds)

    def cancelled(self, job_id: UUID | None = None) -> None:
        """An event is a hint: whether our lease is gone, the next heartbeat tells, and it comes now."""
        if any(job_id in (None, lease.job_id) for lease in self.executor.held):
            self.pulse.hurry()


class Worker:
    """`run` works until `stop` is called, then drains: claims nothing more, lets jobs finish, gives the rest back."""

    def __init__(
        self,
        surroundings: Surroundings,
        handlers: Iterable[AnyHandler],
        settings: Settings,
        worker_id: str,
    ) -> None:
        self.worker_id = worker_id
        self._open_store = surroundings.open_store
        self._wake_source = surroundings.wake_source
        self._observer = surroundings.observer
        self._handlers = by_type(handlers)
        self._settings = settings
        self._stopping = anyio.Event()

    def stop(self) -> None:
        """Begin the drain. Calling it again changes nothing."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    async def run(self) -> None:
        with logger.contextualize(worker_id=self.worker_id):
            logger.info("worker started", types=sorted(self._handlers), concurrency=self._settings.concurrency)
            async with self._open_store() as store:
                await self._work(store)
                await self._deregister(store)
            logger.info("worker stopped")

    async def _work(self, store: JobStore) -> None:
        def on_freed() -> None:
            dispatcher.slot_freed()

        def on_settled(settlement: Settlement | None) -> None:
            dispatcher.settled(settlement)

        bell = Bell()
        claims = Claims(self.worker_id, uuid4, self._settings.poll_seconds, self._observer)
        async with open_processes() as processes, anyio.create_task_group() as group:
            workshop = Workshop(self._handlers, processes, self._settings.concurrency, self._observer)
            executor = Executor(group, store, workshop, on_freed, on_settled)
            dispatcher = Dispatcher(store, executor, self._wake_source, bell, claims)
            pulse = Pulse(self._open_store, self._heartbeat(), lambda: executor.held, executor.lose, self._observer)
            group.start_soon(pulse.run)
            async with anyio.create_task_group() as intake:
                intake.start_soon(self._wake_source.run, _Ears(dispatcher, executor, pulse))
                intake.start_soon(dispatcher.run)
                intake.start_soon(dispatcher.listen_for_silence)
                intake.start_soon(self._reconcile, store, dispatcher)
                await self._stopping.wait()
                intake.cancel_scope.cancel()
            await self._drain(executor)
            group.cancel_scope.cancel()

    def _heartbeat(self) -> Heartbeat:
        settings = self._settings
        idle_seconds = max(settings.heartbeat_seconds, settings.lease_seconds - _IDLE_MARGIN_SECONDS)
        return Heartbeat(self.worker_id, settings.heartbeat_seconds, idle_seconds, settings.lease_seconds)

    async def _reconcile(self, store: JobStore, dispatcher: Dispatcher) -> None:
        await reconcile_forever(store, dispatcher, interval_seconds=self._settings.reconcile_seconds)

    async def _drain(self, executor: Executor) -> None:
        self._observer.drain_began()
        logger.info("draining", running=len(executor.held), grace_seconds=self._settings.grace_seconds)
        with anyio.move_on_after(self._settings.grace_seconds):
            await executor.wait_idle()
        executor.release_all()
        with anyio.move_on_after(_RELEASE_SECONDS):
            await executor.wait_idle()
        executor.abandon()

    async def _deregister(self, store: JobStore) -> None:
        with anyio.move_on_after(_DEREGISTER_SECONDS):
            try:
                await store.deregister(self.worker_id)
            except StoreError as error:
                logger.warning("not deregistered", error=str(error))
