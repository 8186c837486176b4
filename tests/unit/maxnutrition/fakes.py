"""A job context whose progress can be read."""

import math
from datetime import UTC, datetime
from uuid import UUID

from loguru import logger

from analysis_worker import Job, JobContext
from analysis_worker.jobs import Lease


def exam_job(job_id: UUID) -> Job:
    return Job(
        id=job_id,
        type="medical_exam",
        user_id=None,
        input={},
        attempt=1,
        max_attempts=3,
        timeout_seconds=60,
        created_at=datetime(2025, 1, 1, tzinfo=UTC),
        age_seconds=0.1,
        lease=Lease(job_id, job_id),
    )


def context_for(job: Job) -> tuple[JobContext, list[tuple[float, str]]]:
    reported: list[tuple[float, str]] = []

    async def report_progress(progress: float, phase: str, partial: str | None = None) -> None:
        reported.append((progress, phase))

    async def save_checkpoint(data: object) -> None:
        raise AssertionError("nothing to save")

    log = logger.bind(job_id=job.id)
    return JobContext(job, math.inf, log, report_progress, save_checkpoint, lambda _: None), reported
