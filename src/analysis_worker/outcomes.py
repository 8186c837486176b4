"""What an attempt came to. A lost lease is none of these: then there is nothing to write."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from analysis_worker.jobs import JobStatus

Usage: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completed:
    result: Mapping[str, Any]
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """`delay_seconds` is a proposal for the next attempt; the queue decides whether there is one."""

    code: str
    message: str
    retryable: bool
    delay_seconds: float | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    delay_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Released:
    pass


Outcome: TypeAlias = Completed | Failed | Deferred | Released


@dataclass(frozen=True, slots=True)
class Settlement:
    """The queue's answer: the job's status now (None where it is deleted), or that the lease was lost."""

    status: JobStatus | None
    lease_held: bool
    retry_in_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one pass of the reconciler did and found.

    `claimable` jobs could be claimed now; the next of the others is due in `next_due_seconds` (None: there is none).
    `workers` are the ids of those alive.
    """

    rescued: int
    expired: int
    failed: int
    claimable: int
    next_due_seconds: float | None
    workers: Collection[str]
