"""The words for a job and for the right to write to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class JobStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one job, from a claim until it is settled or taken away."""

    job_id: UUID
    lease_id: UUID


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `attempt` counts from 1; `timeout_seconds` is this attempt's time, from the claim.

    `age_seconds` is how old the job was when it was claimed, by the queue's clock. `checkpoint` is what an earlier
    attempt saved last, None where none did.
    """

    id: UUID
    type: str
    user_id: UUID | None
    input: Mapping[str, Any]
    attempt: int
    max_attempts: int
    timeout_seconds: float
    created_at: datetime
    age_seconds: float
    lease: Lease
    checkpoint: Any = None
