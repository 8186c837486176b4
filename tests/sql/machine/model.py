"""What each call may do to one job, as pure functions: the queue's contract without its SQL.

The model is told what the database cannot choose freely and leaves open what it may: which of the due jobs a claim
takes, whether a rescued job has another attempt. It keeps no clock; `stale` says that somebody may end the lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

TERMINAL = frozenset({"completed", "failed", "cancelled"})
SETTLED = frozenset({"completed", "failed", "deferred", "released"})
"""How the holder of a lease can end it; every other outcome is somebody else's doing."""


class Violation(AssertionError):  # noqa: N818 - a finding about the database, not a failure of ours
    """The database did what the contract forbids."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is stored of one job, and what must not change behind anybody's back."""

    type: str
    user_id: str | None
    status: str
    attempt: int
    max_attempts: int
    lease_id: str | None
    leased_by: str | None
    progress: float
    phase: str | None
    result: str | None
    error_code: str | None
    due: bool
    stale: bool
    """The worker is dead or the deadline is over, now or at some time since the claim."""

    def pending(self, given_back: bool) -> Job:
        return replace(
            self,
            status="pending",
            attempt=self.attempt - given_back,
            lease_id=None,
            leased_by=None,
            progress=0,
            phase=None,
            stale=False,
        )

    def ended(self, status: str, **changes: Any) -> Job:
        return replace(self, status=status, lease_id=None, leased_by=None, stale=False, **changes)

    def fixed(self) -> Job:
        """Without what passing time changes."""
        return replace(self, due=True, stale=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a public function, by a user or else by a service."""

    function: str
    arguments: Mapping[str, Any]
    user_id: str | None = None

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]


def reachable(calls: Iterable[Call], job_id: str, before: Job) -> set[Job]:
    """What the job may be after all of these calls, in any order."""
    states = set()
    for order in permutations(calls):
        now = {before}
        for call in order:
            now = {after for state in now for after in possible(call, job_id, state)}
        states |= now
    return {state.fixed() for state in states}


def possible(call: Call, job_id: str, job: Job) -> set[Job]:
    """What the job may be after this call."""
    match call.function:
        case "claim_job":
            return {job, *_claimed(call, job)}
        case "reconcile_jobs":
            return {job, *_rescued(job)}
        case "deregister_worker":
            return {job, *_returned(call, job)}
        case "enqueue_analysis" | "heartbeat_worker":
            return {job}
        case "settle_jobs":
            return {_settled(call, job_id, job)}
        case _:
            return {_written(call, job) if call["job_id"] == job_id else job}


def _claimed(call: Call, job: Job) -> set[Job]:
    if job.status != "pending" or not job.due or job.type not in call["types"]:
        return set()
    return {
        replace(
            job,
            status="processing",
            attempt=job.attempt + 1,
            lease_id=call["lease_id"],
            leased_by=call["worker_id"],
            progress=0,
            phase=None,
        )
    }


def _rescued(job: Job) -> set[Job]:
    if not job.stale:
        return set()
    again = set() if job.attempt == job.max_attempts else {job.pending(given_back=False)}
    return again | {job.ended("failed", error_code=code) for code in ("worker_lost", "poison_job", "deadline_exceeded")}


def _returned(call: Call, job: Job) -> set[Job]:
    return {job.pending(given_back=True)} if job.leased_by == call["worker_id"] else set()


def singles(call: Call) -> list[Call]:
    """The calls that a batch of settlements stands for."""
    functions = {"completed": "complete_job", "failed": "fail_job", "deferred": "defer_job", "released": "release_job"}
    return [Call(functions[settlement["outcome"]], settlement) for settlement in call["settlements"].obj]


def _settled(call: Call, job_id: str, job: Job) -> Job:
    for single in singles(call):
        if single["job_id"] == job_id:
            job = _written(single, job)
    return job


def _written(call: Call, job: Job) -> Job:
    """The job after a call about it."""
    match call.function:
        case "cancel_analysis":
            return job if job.status in TERMINAL else job.ended("cancelled")
        case "replay_job" if job.status in {"failed", "cancelled"}:
            return replace(job.pending(given_back=False), attempt=0, error_code=None)
        case "replay_job":
            return job
        case _:
            return _written_by_holder(call, job) if call["lease_id"] == job.lease_id else job


def _written_by_holder(call: Call, job: Job) -> Job:
    match call.function:
        case "complete_job":
            return job.ended("completed", progress=1, result=str(call["result"]["answer"]))
        case "fail_job" if call["retryable"] and job.attempt < job.max_attempts:
            return job.pending(given_back=False)
        case "fail_job":
            return job.ended("failed", error_code=call["error"]["code"])
        case "defer_job" | "release_job":
            return job.pending(given_back=True)
        case "report_progress":
            return replace(job, progress=call["progress"], phase=call["phase"])
        case unknown:
            raise NotImplementedError(unknown)
