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
    """Remembers which jobs were announced, and finds claimed ones that should have been and were not."""

    def __init__(self) -> None:
        self._announced: OrderedDict[UUID, None] = OrderedDict()

    def announced(self, job_id: UUID) -> bool:
        """Whether this is the first announcement of the job: it may come twice, by the doorbell and as a change."""
        is_news = job_id not in self._announced
        self._announced[job_id] = None
        if len(self._announced) > _REMEMBERED:
            self._announced.popitem(last=False)
        return is_news

    def missed(self, jobs: Iterable[Job], ready_seconds: float) -> int:
        """How many of the jobs just claimed were enqueued while the listener was ready, and never announced.

        Only first attempts count: nothing announces that a job came back. `ready_seconds`: ready for so long, 0: not.
        """
        return sum(
            job.attempt == 1 and PATIENCE_SECONDS < job.age_seconds < ready_seconds and job.id not in self._announced
            for job in jobs
        )
