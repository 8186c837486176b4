"""The SQL functions' answers, checked at the border before the engine sees them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from analysis_worker.errors import StoreRejectedError
from analysis_worker.jobs import Job, JobStatus, Lease
from analysis_worker.outcomes import Reconciliation, Settlement


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ClaimedRow(_Row):
    id: UUID
    type: str
    user_id: UUID | None
    input: dict[str, Any]
    attempt: int
    max_attempts: int
    timeout_seconds: float
    created_at: datetime
    deadline_at: datetime
    lease_id: UUID
    checkpoint: Any = None

    def job(self) -> Job:
        claimed_at = self.deadline_at - timedelta(seconds=self.timeout_seconds)
        return Job(
            id=self.id,
            type=self.type,
            user_id=self.user_id,
            input=self.input,
            attempt=self.attempt,
            max_attempts=self.max_attempts,
            timeout_seconds=self.timeout_seconds,
            created_at=self.created_at,
            age_seconds=(claimed_at - self.created_at).total_seconds(),
            lease=Lease(self.id, self.lease_id),
            checkpoint=self.checkpoint,
        )


class AnswerRow(_Row):
    """What every function under a lease answers."""

    status: JobStatus | None
    lease: Literal["held", "lost"]
    retry_in_seconds: float | None = None
    has_next: bool = False

    def settlement(self) -> Settlement:
        return Settlement(self.status, self.lease == "held", self.retry_in_seconds, self.has_next)


class Refusal(_Row):
    code: str
    message: str


class RefusedRow(_Row):
    """Instead of an answer, for one of several that are settled together."""

    refused: Refusal

    def error(self) -> StoreRejectedError:
        return StoreRejectedError(self.refused.code, f"settle_jobs: {self.refused.message}")


class LostRow(_Row):
    lost: list[UUID]


class ReconciledRow(_Row):
    rescued: int
    expired: int
    failed: int
    pending: int
    next_due_seconds: float | None
    workers: list[str]

    def reconciliation(self) -> Reconciliation:
        return Reconciliation(
            rescued=self.rescued,
            expired=self.expired,
            failed=self.failed,
            claimable=self.pending,
            next_due_seconds=self.next_due_seconds,
            workers=self.workers,
        )
