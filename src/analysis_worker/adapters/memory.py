"""The queue in memory, with the rules of the SQL functions: for unit tests of workers and handlers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID, uuid4

from analysis_worker.errors import StoreRejectedError
from analysis_worker.jobs import Job, JobStatus, Lease
from analysis_worker.outcomes import (
    Completed,
    Deferred,
    Failed,
    Outcome,
    Reconciliation,
    Released,
    Settlement,
    Usage,
)

_FIRST_RETRY_SECONDS = 2.0
_BY_THE_WORKER = frozenset({"completed", "failed", "deferred", "released"})


@dataclass(slots=True)
class MemoryJob:
    """A row of the queue; `ended` says how each lease that ended did."""

    id: UUID
    type: str
    input: Mapping[str, Any]
    max_attempts: int
    timeout_seconds: float
    created_at: datetime
    scheduled_at: datetime
    status: JobStatus = JobStatus.PENDING
    attempt: int = 0
    lease_id: UUID | None = None
    worker_id: str | None = None
    deadline_at: datetime | None = None
    progress: float = 0.0
    phase: str | None = None
    partial: str | None = None
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    checkpoint: Any = None
    usage: list[Usage | None] = field(default_factory=list)
    ended: dict[UUID, str] = field(default_factory=dict)


class MemoryJobStore:
    """JobStore of one process. `now` gives the queue's clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.jobs: dict[UUID, MemoryJob] = {}
        self._now = now
        self._alive_until: dict[str, datetime] = {}

    def enqueue(
        self, type: str, input: Mapping[str, Any], *, max_attempts: int = 3, timeout_seconds: float = 60.0
    ) -> MemoryJob:
        now = self._now()
        job = MemoryJob(uuid4(), type, input, max_attempts, timeout_seconds, created_at=now, scheduled_at=now)
        self.jobs[job.id] = job
        return job

    def cancel(self, job_id: UUID) -> None:
        job = self.jobs[job_id]
        if not job.status.is_terminal:
            self._end(job, "cancelled", JobStatus.CANCELLED)

    async def claim(self, worker_id: str, lease_id: UUID, types: Collection[str], max_jobs: int) -> Sequence[Job]:
        now = self._now()
        self._alive_until.setdefault(worker_id, now + timedelta(seconds=25))
        if not any(job.lease_id == lease_id or lease_id in job.ended for job in self.jobs.values()):
            due = [job for job in self.jobs.values() if _is_due(job, now) and job.type in types]
            for job in sorted(due, key=lambda job: job.scheduled_at)[:max_jobs]:
                job.status, job.attempt = JobStatus.PROCESSING, job.attempt + 1
                job.lease_id, job.worker_id = lease_id, worker_id
                job.deadline_at = now + timedelta(seconds=job.timeout_seconds)
        return [_claimed(job, lease_id) for job in self.jobs.values() if job.lease_id == lease_id]

    async def settle(self, outcomes: Mapping[Lease, Outcome]) -> Mapping[Lease, Settlement | StoreRejectedError]:
        return {lease: self._settle(lease, outcome) for lease, outcome in outcomes.items()}

    async def report_progress(self, lease: Lease, progress: float, phase: str, partial: str | None) -> bool:
        job = self.jobs.get(lease.job_id)
        if job is None or job.lease_id != lease.lease_id:
            return False
        job.progress, job.phase = progress, phase
        job.partial = job.partial if partial is None else partial
        return True

    async def save_checkpoint(self, lease: Lease, data: Any) -> bool:
        job = self.jobs.get(lease.job_id)
        if job is None or job.lease_id != lease.lease_id:
            return False
        job.checkpoint = data
        return True

    async def heartbeat(self, worker_id: str, lease_seconds: float, held: Collection[Lease]) -> Collection[Lease]:
        self._alive_until[worker_id] = self._now() + timedelta(seconds=lease_seconds)
        return [lease for lease in held if not self._answer(lease).lease_held]

    async def reconcile(self) -> Reconciliation:
        now = self._now()  # heartbeats come from another thread meanwhile: what they write to is copied first
        lost = [
            job for job in self.jobs.values() if job.lease_id and self._alive_until.get(job.worker_id or "", now) <= now
        ]
        for job in lost:
            self._fail(job, Failed("worker_lost", "The worker stopped.", retryable=True, delay_seconds=0), "lost")
        waiting = [job.scheduled_at for job in self.jobs.values() if job.status is JobStatus.PENDING]
        later = [(at - now).total_seconds() for at in waiting if at > now]
        failed = sum(job.status is JobStatus.FAILED for job in lost)
        return Reconciliation(
            rescued=len(lost) - failed,
            expired=0,
            failed=failed,
            claimable=len(waiting) - len(later),
            next_due_seconds=min(later, default=None),
            workers=[worker for worker, until in list(self._alive_until.items()) if until > now],
        )

    async def deregister(self, worker_id: str) -> None:
        self._alive_until.pop(worker_id, None)
        for job in self.jobs.values():
            if job.worker_id == worker_id:
                self._return(job, "released", 0)

    def _settle(self, lease: Lease, outcome: Outcome) -> Settlement:
        job = self.jobs.get(lease.job_id)
        if job is not None and job.lease_id == lease.lease_id:
            self._write(job, outcome)
        return self._answer(lease)

    def _write(self, job: MemoryJob, outcome: Outcome) -> None:
        job.usage.append(None if isinstance(outcome, Released) else outcome.usage)
        match outcome:
            case Completed(result):
                job.result = result
                self._end(job, "completed", JobStatus.COMPLETED)
            case Failed():
                self._fail(job, outcome, "failed")
            case Deferred(delay_seconds):
                self._return(job, "deferred", delay_seconds)
            case Released():
                self._return(job, "released", 0)
            case _:
                assert_never(outcome)

    def _fail(self, job: MemoryJob, failure: Failed, ending: str) -> None:
        if failure.retryable and job.attempt < job.max_attempts:
            delay = _FIRST_RETRY_SECONDS if failure.delay_seconds is None else failure.delay_seconds
            job.scheduled_at = self._now() + timedelta(seconds=delay)
            self._end(job, ending, JobStatus.PENDING)
        else:
            job.error = {"code": failure.code, "message": failure.message}
            self._end(job, ending, JobStatus.FAILED)

    def _return(self, job: MemoryJob, ending: str, delay_seconds: float) -> None:
        job.attempt -= 1
        job.scheduled_at = self._now() + timedelta(seconds=delay_seconds)
        self._end(job, ending, JobStatus.PENDING)

    def _end(self, job: MemoryJob, ending: str, status: JobStatus) -> None:
        if job.lease_id is not None:
            job.ended[job.lease_id] = ending
        job.status, job.lease_id, job.worker_id, job.deadline_at, job.partial = status, None, None, None, None

    def _answer(self, lease: Lease) -> Settlement:
        job = self.jobs[lease.job_id]
        held = job.lease_id == lease.lease_id or job.ended.get(lease.lease_id) in _BY_THE_WORKER
        waits = (job.scheduled_at - self._now()).total_seconds() if job.status is JobStatus.PENDING else None
        return Settlement(job.status, held, None if waits is None else max(0.0, waits))


def _is_due(job: MemoryJob, now: datetime) -> bool:
    return job.status is JobStatus.PENDING and job.scheduled_at <= now


def _claimed(job: MemoryJob, lease_id: UUID) -> Job:
    assert job.deadline_at is not None
    claimed_at = job.deadline_at - timedelta(seconds=job.timeout_seconds)
    return Job(
        id=job.id,
        type=job.type,
        user_id=None,
        input=job.input,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        timeout_seconds=job.timeout_seconds,
        created_at=job.created_at,
        age_seconds=(claimed_at - job.created_at).total_seconds(),
        lease=Lease(job.id, lease_id),
        checkpoint=job.checkpoint,
    )
