"""Run claimed jobs side by side, each under its lease and its deadline, and settle what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, assert_never

import anyio
from anyio.abc import TaskGroup
from loguru import logger

from analysis_worker.attempt import run_attempt
from analysis_worker.context import JobContext
from analysis_worker.handlers import AnyHandler
from analysis_worker.jobs import Job, Lease
from analysis_worker.observer import NOBODY, Observer
from analysis_worker.outcomes import Completed, Outcome, Released, Settlement
from analysis_worker.ports import JobStore
from analysis_worker.processes import Processes
from analysis_worker.reports import Reports
from analysis_worker.settle import outcome_of_timeout, with_usage
from analysis_worker.settlements import Settlements
from analysis_worker.wakes import WakeReason

if TYPE_CHECKING:
    from loguru import Logger

_SETTLE_SECONDS = 300.0


class _Stop(Enum):
    LEASE_LOST = auto()
    RELEASED = auto()


@dataclass(slots=True)
class _Running:
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    settling: anyio.CancelScope = field(default_factory=lambda: anyio.CancelScope(shield=True))
    stop: _Stop | None = None

    def end(self, stop: _Stop) -> None:
        if self.stop is None:
            self.stop = stop
            self.scope.cancel()


@dataclass(frozen=True, slots=True)
class Opening:
    """Slots for jobs of these types."""

    types: Collection[str]
    slots: int


@dataclass(frozen=True, slots=True)
class Workshop:
    """What jobs are run with, how many at a time, and who is told."""

    handlers: Mapping[str, AnyHandler]
    processes: Processes
    concurrency: int
    observer: Observer = NOBODY


class Executor:
    """Runs jobs side by side and knows which leases this worker holds."""

    def __init__(
        self,
        group: TaskGroup,
        store: JobStore,
        workshop: Workshop,
        on_freed: Callable[[], None],
        on_settled: Callable[[Settlement | None], None],
    ) -> None:
        """`on_freed` hears of every slot that is free again, `on_settled` of every attempt that is over with the queue,
        and of its answer where there was one."""
        self._group = group
        self._store = store
        self._workshop = workshop
        self._settlements = Settlements(group, store)
        self._on_freed = on_freed
        self._on_settled = on_settled
        self._running: dict[Lease, _Running] = {}
        self._at_work: Counter[str] = Counter()
        self._idle = anyio.Event()

    @property
    def held(self) -> Collection[Lease]:
        """Safe to read from another thread: the copy is made in one step."""
        return [lease for lease, running in list(self._running.items()) if running.stop is not _Stop.LEASE_LOST]

    @property
    def free_slots(self) -> int:
        """A slot is free when its handler has ended. Settlements that the queue does not answer fill as many again."""
        slots = self._workshop.concurrency
        return min(slots - self._at_work.total(), 2 * slots - len(self._running))

    def openings(self) -> list[Opening]:
        """What may be claimed now: all types without a limit together, and each type that has a limit by itself."""
        if self.free_slots == 0:
            return []
        unlimited = [type for type, handler in self._workshop.handlers.items() if handler.concurrency is None]
        openings = [Opening(unlimited, self.free_slots)] if unlimited else []
        limited = [Opening([type], min(self.free_slots, left)) for type, left in self._left_of_limits().items() if left]
        return openings + limited

    @property
    def has_full_type(self) -> bool:
        """Whether a type is not claimed at the moment because it is at its limit."""
        return 0 in self._left_of_limits().values()

    def _left_of_limits(self) -> dict[str, int]:
        at_work, handlers = self._at_work, self._workshop.handlers.items()
        return {
            type: handler.concurrency - at_work[type] for type, handler in handlers if handler.concurrency is not None
        }

    def start(self, jobs: Collection[Job], woken_by: WakeReason) -> None:
        """Run the jobs in the background; their leases count as held from now on.

        Where an attempt at the same job still runs here, its lease is gone: the queue would not have given another.
        """
        claimed = {job.id for job in jobs}
        self.lose([lease for lease in self._running if lease.job_id in claimed])
        for job in jobs:
            running = self._running[job.lease] = _Running()
            self._at_work[job.type] += 1
            self._workshop.observer.started(job)
            self._group.start_soon(self._run, job, running, woken_by)

    def lose(self, leases: Collection[Lease]) -> None:
        """Stop these attempts without a word to the queue: their leases are gone."""
        for lease in leases:
            if (running := self._running.get(lease)) is not None:
                running.end(_Stop.LEASE_LOST)

    def release_all(self) -> None:
        """Stop every job and give it back."""
        for running in self._running.values():
            running.end(_Stop.RELEASED)

    def abandon(self) -> None:
        """Give up settling too: what is unsettled now is left to the reconciler."""
        for running in self._running.values():
            running.settling.cancel()
        self._settlements.abandon()

    async def wait_idle(self) -> None:
        while self._running:
            self._idle = anyio.Event()
            await self._idle.wait()

    async def _run(self, job: Job, running: _Running, woken_by: WakeReason) -> None:
        log = logger.bind(job_id=str(job.id), job_type=job.type, attempt=job.attempt)
        log.info("claimed", woken_by=woken_by.value)
        started_at = anyio.current_time()
        outcome: Outcome | None = None
        settlement: Settlement | None = None
        try:
            outcome = await self._attempt(job, running, log)
            if outcome is not None:
                log = log.bind(outcome=type(outcome).__name__.lower(), run_ms=_milliseconds_since(started_at))
                running.settling.deadline = anyio.current_time() + _SETTLE_SECONDS
                with running.settling:
                    outcome, settlement = await self._settlements.settle(job.lease, outcome, log)
                if running.settling.cancelled_caught:
                    log.error("settlement given up, left to the reconciler")
        finally:
            del self._running[job.lease]
            self._workshop.observer.ended(job, outcome, settlement, anyio.current_time() - started_at)
            self._idle.set()
            self._on_settled(settlement)

    async def _attempt(self, job: Job, running: _Running, log: Logger) -> Outcome | None:
        """What became of the attempt, None where the lease was lost. Outside cancellation releases the job."""
        outcome: Outcome = Released()
        reports = Reports(self._store, job.lease, partial(running.end, _Stop.LEASE_LOST), log)
        running.scope.deadline = anyio.current_time() + job.timeout_seconds
        context = _context(job, running.scope.deadline, reports, log)
        try:
            with running.scope:
                outcome = await run_attempt(self._workshop.handlers[job.type], context, self._workshop.processes)
        finally:
            self._at_work[job.type] -= 1
            self._on_freed()
        if running.scope.cancelled_caught and running.stop is None:
            outcome = outcome_of_timeout(job.timeout_seconds)
        outcome = with_usage(outcome, reports.usage)
        match running.stop:
            case None:
                return outcome
            case _Stop.RELEASED:
                return outcome if isinstance(outcome, Completed) else Released()
            case _Stop.LEASE_LOST:
                log.warning("lease lost, attempt dropped")
                return None
            case _:
                assert_never(running.stop)


def _context(job: Job, deadline: float, reports: Reports, log: Logger) -> JobContext:
    return JobContext(
        job=job,
        deadline=deadline,
        log=log,
        report_progress=reports.report_progress,
        save_checkpoint=reports.save_checkpoint,
        add_usage=reports.add_usage,
    )


def _milliseconds_since(started_at: float) -> float:
    return round((anyio.current_time() - started_at) * 1000, 1)
