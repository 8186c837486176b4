"""A job store that tells how its calls went."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from analysis_worker.errors import StoreRejectedError, StoreUnavailableError
from analysis_worker.jobs import Job, Lease
from analysis_worker.observer import Answer, Observer
from analysis_worker.outcomes import Outcome, Reconciliation, Settlement
from analysis_worker.ports import JobStore

_T = TypeVar("_T")


class ObservedJobStore:
    """JobStore around another one; functions are told by their names in SQL."""

    def __init__(self, store: JobStore, observer: Observer) -> None:
        self._store = store
        self._observer = observer

    async def claim(self, worker_id: str, lease_id: UUID, types: Collection[str], max_jobs: int) -> Sequence[Job]:
        return await self._watch("claim_job", self._store.claim(worker_id, lease_id, types, max_jobs))

    async def settle(self, outcomes: Mapping[Lease, Outcome]) -> Mapping[Lease, Settlement | StoreRejectedError]:
        return await self._watch("settle_jobs", self._store.settle(outcomes))

    async def report_progress(self, lease: Lease, progress: float, phase: str, partial: str | None) -> bool:
        return await self._watch("report_progress", self._store.report_progress(lease, progress, phase, partial))

    async def save_checkpoint(self, lease: Lease, data: Any) -> bool:
        return await self._watch("save_checkpoint", self._store.save_checkpoint(lease, data))

    async def heartbeat(self, worker_id: str, lease_seconds: float, held: Collection[Lease]) -> Collection[Lease]:
        return await self._watch("heartbeat_worker", self._store.heartbeat(worker_id, lease_seconds, held))

    async def reconcile(self) -> Reconciliation:
        found = await self._watch("reconcile_jobs", self._store.reconcile())
        self._observer.reconciled(found)
        return found

    async def deregister(self, worker_id: str) -> None:
        await self._watch("deregister_worker", self._store.deregister(worker_id))

    async def _watch(self, function: str, call: Awaitable[_T]) -> _T:
        began_at = time.monotonic()
        try:
            answer = await call
        except StoreRejectedError:
            self._observer.called(function, Answer.REFUSED, time.monotonic() - began_at)
            raise
        except StoreUnavailableError:
            self._observer.called(function, Answer.NONE, time.monotonic() - began_at)
            raise
        self._observer.called(function, Answer.ANSWERED, time.monotonic() - began_at)
        return answer
