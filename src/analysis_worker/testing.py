"""For tests of handlers: a context without a worker, and what was told to it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from loguru import logger

from analysis_worker.context import JobContext
from analysis_worker.jobs import Job, Lease
from analysis_worker.outcomes import Usage


@dataclass(slots=True)
class Told:
    """In the order it was told. Checkpoints went through JSON, as they do on their way to the database."""

    progress: list[tuple[float, str]] = field(default_factory=list)
    partials: list[str] = field(default_factory=list)
    checkpoints: list[Any] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)


def new_context(
    type: str, *, attempt: int = 1, checkpoint: Any = None, user_id: UUID | None = None
) -> tuple[JobContext, Told]:
    """A context of one attempt of a job that nobody enqueued; `checkpoint` is what an earlier attempt saved."""
    told, job_id = Told(), uuid4()

    async def report_progress(progress: float, phase: str, partial: str | None = None) -> None:
        told.progress.append((progress, phase))
        if partial is not None:
            told.partials.append(partial)

    async def save_checkpoint(data: Any) -> None:
        told.checkpoints.append(json.loads(json.dumps(data)))

    job = Job(
        id=job_id,
        type=type,
        user_id=user_id,
        input={},
        attempt=attempt,
        max_attempts=max(3, attempt),
        timeout_seconds=60,
        created_at=datetime.now(UTC),
        age_seconds=0,
        lease=Lease(job_id, uuid4()),
        checkpoint=checkpoint,
    )
    log = logger.bind(job_id=str(job_id))
    return JobContext(job, math.inf, log, report_progress, save_checkpoint, told.usage.append), told
