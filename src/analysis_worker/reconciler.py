"""The promise behind the hints: every `interval`, stuck jobs are rescued and the queue is looked at."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from loguru import logger

from analysis_worker.bell import Bell
from analysis_worker.errors import StoreError
from analysis_worker.ports import JobStore
from analysis_worker.wakes import WakeReason


async def reconcile_forever(
    store: JobStore, bell: Bell, on_next_due: Callable[[float], None], *, interval_seconds: float
) -> None:
    """Reconcile now and then every `interval_seconds`, until cancelled; rings SWEEP each time, answered or not."""
    while True:
        try:
            done = await store.reconcile()
        except StoreError as error:
            logger.warning("reconciler failed", error=str(error))
        else:
            if done.rescued or done.expired or done.failed:
                logger.info("reconciled", rescued=done.rescued, expired=done.expired, failed=done.failed)
            if done.next_due_seconds is not None:
                on_next_due(done.next_due_seconds)
        bell.ring(WakeReason.SWEEP)
        await anyio.sleep(interval_seconds)
