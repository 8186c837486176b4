"""When to look at the queue although nobody rang, and when to keep quiet. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from uuid import UUID

from analysis_worker.wakes import ListenerState


def patience(state: ListenerState, poll_seconds: float, next_due_seconds: float | None) -> float | None:
    """Seconds to wait for the bell before looking anyway, None for as long as it takes.

    A listener that is not ready can miss rows, so the queue is polled meanwhile; a job that becomes due rings nothing.
    """
    limits = [] if state is ListenerState.READY else [poll_seconds]
    if next_due_seconds is not None:
        limits.append(max(0.0, next_due_seconds))
    return min(limits, default=None)


def goes_first(worker_id: str, job_id: UUID, workers: Collection[str]) -> bool:
    """Whether this worker fetches an announced job at once, and the others of `workers` only see to it later.

    Highest random weight: every worker that knows the same others comes to the same answer, without a word.
    """

    def weight(worker: str) -> bytes:
        return hashlib.blake2b(job_id.bytes + worker.encode(), digest_size=8).digest()

    return all(weight(worker_id) >= weight(other) for other in workers)


class Throttle:
    """Lets a report pass when its phase is new or the last one is `every_seconds` old."""

    def __init__(self, every_seconds: float) -> None:
        self._every_seconds = every_seconds
        self._last: tuple[float, str] | None = None

    def passes(self, now: float, phase: str) -> bool:
        if self._last is not None and phase == self._last[1] and now - self._last[0] < self._every_seconds:
            return False
        self._last = (now, phase)
        return True
