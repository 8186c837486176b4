"""The promise behind the hints: every so often stuck jobs are rescued, and the queue is looked at."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, repeat
from typing import Protocol
from uuid import UUID

import anyio
from loguru import logger

from analysis_worker.errors import StoreError
from analysis_worker.outcomes import Reconciliation
from analysis_worker.ports import JobStore
from analysis_worker.wakes import WakeReason

_ACQUAINTED_SECONDS = 5.0


class Dispatching(Protocol):
    """What the reconciler passes on, and to whom."""

    def woken(self, reason: WakeReason, job_id: UUID | None = None) -> None: ...

    def expect_due(self, seconds: float) -> None: ...

    def meet(self, workers: Collection[str]) -> None: ...


async def reconcile_forever(store: JobStore, dispatcher: Dispatching, *, interval_seconds: float) -> None:
    """Reconcile now and then every `interval_seconds`, until cancelled; wakes the dispatcher where there is work.

    The second time comes sooner: workers that are started together know each other only then.
    """
    for pause in chain([min(_ACQUAINTED_SECONDS, interval_seconds)], repeat(interval_seconds)):
        try:
            found = await store.reconcile()
        except StoreError as error:
            logger.warning("reconciler failed", error=str(error))
            dispatcher.woken(WakeReason.SWEEP)
        else:
            _pass_on(found, dispatcher)
        await anyio.sleep(pause)


def _pass_on(found: Reconciliation, dispatcher: Dispatching) -> None:
    if found.rescued or found.expired or found.failed:
        logger.info("reconciled", rescued=found.rescued, expired=found.expired, failed=found.failed)
    if found.next_due_seconds is not None:
        dispatcher.expect_due(found.next_due_seconds)
    dispatcher.meet(found.workers)
    if found.claimable:
        dispatcher.woken(WakeReason.SWEEP)
