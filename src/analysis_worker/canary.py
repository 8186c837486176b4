"""Notices that announcements no longer come, although the listener believes that all is well. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from analysis_worker.jobs import Job

_REMEMBERED = 10_000
PATIENCE_SECONDS = 5.0
"""A job younger than this may still be announced: on the real server an event takes up to half a second, idle."""


class Canary:
    """Remembers which jobs were announced, and finds claimed ones that should have been and were not.

    A job can be claimed before its announcement arrives, and where many workers sweep none gets old before it is
    claimed. So nothing is concluded at the claim, only `PATIENCE_SECONDS` after the job was enqueued.
    """

    def __init__(self) -> None:
        self._announced: OrderedDict[UUID, None] = OrderedDict()
        self._expected: dict[UUID, float] = {}

    def announced(self, job_id: UUID) -> bool:
        """Whether this is the first announcement of the job: it may come twice, by the doorbell and as a change."""
        is_news = job_id not in self._announced
        self._announced[job_id] = None
        self._expected.pop(job_id, None)
        if len(self._announced) > _REMEMBERED:
            self._announced.popitem(last=False)
        return is_news

    def claimed(self, jobs: Iterable[Job], now: float) -> None:
        """Expect an announcement of each. Only first attempts count: nothing announces that a job came back."""
        for job in jobs:
            if job.attempt == 1 and job.id not in self._announced:
                self._expected[job.id] = now - job.age_seconds

    def missed(self, now: float, ready_seconds: float) -> int:
        """How many more announcements are overdue, of jobs enqueued while the listener was ready.

        `ready_seconds`: it has been ready for so long; 0 where it is not.
        """
        overdue = [job_id for job_id, enqueued_at in self._expected.items() if now - enqueued_at > PATIENCE_SECONDS]
        return sum(now - self._expected.pop(job_id) < ready_seconds for job_id in overdue)
