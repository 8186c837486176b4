"""Woken by the bell, fetches as many jobs as there are free slots, and starts them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from loguru import logger

from analysis_worker.backoff import Backoff
from analysis_worker.bell import Bell
from analysis_worker.canary import Canary
from analysis_worker.errors import StoreError
from analysis_worker.executor import Executor, Opening
from analysis_worker.flow import goes_first, patience
from analysis_worker.jobs import Job
from analysis_worker.observer import NOBODY, Observer
from analysis_worker.outcomes import Settlement
from analysis_worker.ports import JobStore, WakeSource
from analysis_worker.wakes import WakeReason

_SECOND_LOOK_SECONDS = 1.0
_CANARY_SECONDS = 1.0
_MOST_EXPECTED = 1000  # times; the reconciler sees to the rest
_JOBS_PER_CLAIM = 100
_CLAIM_BACKOFF = Backoff(first=0.5, cap=15.0)


@dataclass(frozen=True, slots=True)
class Claims:
    """In whose name claims are made, under which new lease ids, how often without anybody ringing, and who is told."""

    worker_id: str
    new_lease_id: Callable[[], UUID]
    poll_seconds: float
    observer: Observer = NOBODY


class Dispatcher:
    """Claims only what can start at once, and never drops the lease id of a claim that got no answer."""

    def __init__(
        self, store: JobStore, executor: Executor, wake_source: WakeSource, bell: Bell, claims: Claims
    ) -> None:
        self._store = store
        self._executor = executor
        self._wake_source = wake_source
        self._bell = bell
        self._claims = claims
        self._canary = Canary()
        self._unanswered: list[UUID] = []
        self._claiming = 0
        self._left_behind = False
        self._due_at: set[float] = set()
        self._second_look_at: float | None = None
        self._expected: set[UUID] = set()
        self._announced_again: set[UUID] = set()
        self._workers: Collection[str] = ()

    def meet(self, workers: Collection[str]) -> None:
        """Know the living workers, to take turns with them."""
        self._workers = workers

    def woken(self, reason: WakeReason, job_id: UUID | None = None, due_in_seconds: float = 0.0) -> None:
        """Look now or then or, where a single job was announced that another worker fetches first, a little later."""
        if due_in_seconds > 0:
            self._expect_later(due_in_seconds, job_id)
            return
        if job_id is not None:
            is_news = self._canary.announced(job_id)
            if not goes_first(self._claims.worker_id, job_id, self._workers):
                if is_news:
                    self._look_again_soon()
                return
            if is_news:
                self._expected.add(job_id)
            elif job_id not in self._expected:
                return
            elif self._claiming or self._unanswered:
                self._announced_again.add(job_id)
                return
        self._bell.ring(reason)

    def _look_again_soon(self) -> None:
        if self._second_look_at is None:
            delay = _SECOND_LOOK_SECONDS * (0.8 + 0.4 * random.random())  # noqa: S311 - workers must not look together
            self._second_look_at = anyio.current_time() + delay
            self._bell.nudge()

    def _expect_later(self, seconds: float, job_id: UUID | None) -> None:
        is_ours = job_id is None or goes_first(self._claims.worker_id, job_id, self._workers)
        if job_id is not None:
            self._canary.announced(job_id)
        self.expect_due(seconds if is_ours else seconds + _SECOND_LOOK_SECONDS)

    def expect_due(self, seconds: float) -> None:
        """A job becomes due in `seconds`, and nothing will ring for it then."""
        if len(self._due_at) < _MOST_EXPECTED:
            self._due_at.add(math.ceil((anyio.current_time() + seconds) * 10) / 10)  # together what is due together
            self._bell.nudge()

    def slot_freed(self) -> None:
        if self._left_behind:
            self._bell.ring(WakeReason.CAPACITY)

    def settled(self, settlement: Settlement | None) -> None:
        """An attempt is over; `None` where its lease was lost, which may have given a limit room."""
        if settlement is not None and settlement.retry_in_seconds is not None:
            self.expect_due(settlement.retry_in_seconds)
        if self._left_behind or settlement is None or settlement.has_next or not settlement.lease_held:
            self._bell.ring(WakeReason.CAPACITY)

    async def run(self) -> None:
        """Dispatch until cancelled."""
        failures = 0
        while True:
            reason = await self._bell.wait(self._patience())
            if reason is None:
                continue
            self._claims.observer.woken(reason)
            try:
                await self._drain(reason)
                failures = 0
            except* StoreError as errors:
                failures += 1
                delay = _CLAIM_BACKOFF.delay(failures, random.random)
                logger.warning("claim failed", error=str(errors.exceptions[0]), retry_in_seconds=round(delay, 2))
                self._left_behind = True
                self._bell.ring(reason)
                await anyio.sleep(delay)

    async def listen_for_silence(self) -> None:
        """Distrust a listener that says it is ready and misses announcements, until cancelled."""
        while True:
            await anyio.sleep(_CANARY_SECONDS)
            if missed := self._canary.missed(anyio.current_time(), self._wake_source.ready_seconds):
                logger.warning("events missed", count=missed)
                self._claims.observer.events_missed(missed)
                self._wake_source.distrust()

    def _patience(self) -> float | None:
        second_look = set() if self._second_look_at is None else {self._second_look_at}
        look_at = min(self._due_at | second_look, default=None)
        look_in = None if look_at is None else look_at - anyio.current_time()
        return patience(self._wake_source.state, self._claims.poll_seconds, look_in)

    async def _drain(self, reason: WakeReason) -> None:
        """Claim to free capacity, again while batches come back full.

        One that does not says that nothing claimable is left, so whatever there was to look at again is seen to. Except
        for an announced job that did not come: somebody else has it, or the announcement was quicker than the commit.
        """
        now = anyio.current_time()
        self._due_at = {at for at in self._due_at if at > now}
        if self._second_look_at is not None and self._second_look_at <= now:
            self._expected.clear()
        self._second_look_at = None
        while openings := self._executor.openings():
            self._left_behind = self._executor.has_full_type
            full = [await self._fill(opening, reason) for opening in openings]
            if not any(full):
                if self._expected:
                    self._look_again_soon()
                return
        self._left_behind = True

    async def _fill(self, opening: Opening, reason: WakeReason) -> bool:
        """Claim for one opening, two at a time where one claim is not enough; True where something may be left."""
        slots = min(opening.slots, self._executor.free_slots)
        if slots <= _JOBS_PER_CLAIM:
            return slots == 0 or await self._take(opening.types, slots, reason)
        shares = iter([min(slots - first, _JOBS_PER_CLAIM) for first in range(0, slots, _JOBS_PER_CLAIM)])
        full: list[bool] = []

        async def take_shares() -> None:
            for share in shares:
                full.append(await self._take(opening.types, share, reason))
                if not full[-1]:
                    return

        async with anyio.create_task_group() as group:
            group.start_soon(take_shares)
            await take_shares()
        return all(full)

    async def _take(self, types: Collection[str], max_jobs: int, reason: WakeReason) -> bool:
        """One claim, and start what comes; True where it may have left something."""
        is_repeated = bool(self._unanswered)
        jobs = await self._claim(types, max_jobs)
        self._canary.claimed(jobs, anyio.current_time())
        self._expected.difference_update(job.id for job in jobs)
        if self._expected.intersection(self._announced_again):
            self._bell.ring(reason)
        self._announced_again.clear()
        self._executor.start(jobs, reason)
        return is_repeated or len(jobs) >= max_jobs

    async def _claim(self, types: Collection[str], max_jobs: int) -> Sequence[Job]:
        await checkpoint_if_cancelled()  # between one shielded claim and the next nothing else would notice
        lease_id = self._unanswered.pop(0) if self._unanswered else self._claims.new_lease_id()
        self._claiming += 1
        try:
            with anyio.CancelScope(shield=True):  # jobs claimed while the worker is told to stop are ours to give back
                jobs = await self._store.claim(self._claims.worker_id, lease_id, types, max_jobs)
        except StoreError:
            self._unanswered.append(lease_id)
            raise
        finally:
            self._claiming -= 1
        return jobs
