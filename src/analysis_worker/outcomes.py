"""What an attempt came to. A lost lease is none of these: then there is nothing to write."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from analysis_worker.jobs import JobStatus

Usage: TypeAlias = Mapping[str, Any]
"""What an attempt used: `input_tokens`, `output_tokens`, `cost_micro_usd`, `model`, whatever the application counts."""


def sum_of_usage(first: Usage, second: Usage) -> Usage:
    """Numbers under the same name are added up; of anything else the second stays."""
    numbers = {
        name: first[name] + value for name, value in second.items() if _is_number(value) and _is_number(first.get(name))
    }
    return {**first, **second, **numbers}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


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
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Released:
    pass


Outcome: TypeAlias = Completed | Failed | Deferred | Released


@dataclass(frozen=True, slots=True)
class Settlement:
    """The queue's answer: the job's status now (None where it is deleted), or that the lease was lost.

    `has_next`: a limit has room again for a job that nobody else is told of.
    """

    status: JobStatus | None
    lease_held: bool
    retry_in_seconds: float | None = None
    has_next: bool = False


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
