"""What a load test measured, held against the targets. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TIMED_OUT = "deadline_exceeded"
_TARGETS = {"timeouts": 0.001, "errors": 0.01, "end_to_end_p95_seconds": 20.0}
"""Shares of the jobs and seconds; what is measured has to be below."""
_SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class EndedJob:
    """Seconds by the database's clock. One that was answered from the cache neither waited nor ran."""

    status: str
    error_code: str | None
    cached: bool
    wait: float | None
    run: float | None
    end_to_end: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> EndedJob:
        created, started, finished = (
            datetime.fromisoformat(row[column]) if row[column] else None
            for column in ("created_at", "started_at", "finished_at")
        )
        assert created is not None
        assert finished is not None
        return cls(
            row["status"],
            (row["error"] or {}).get("code"),
            row["cached"],
            (started - created).total_seconds() if started else None,
            (finished - started).total_seconds() if started else None,
            (finished - created).total_seconds(),
        )


@dataclass(slots=True)
class Measured:
    """`refused` counts the calls that brought no job, by why; `unfinished` the jobs that had to be cancelled."""

    enqueue_seconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    ended: list[EndedJob] = field(default_factory=list)
    unfinished: int = 0
    enqueuing_seconds: float = 0.0
    interrupted: bool = False

    @property
    def asked_for(self) -> int:
        return len(self.enqueue_seconds) + self.refused.total()


def report_of(measured: Measured) -> dict[str, Any]:
    """All numbers, and for each target whether it is met. A target of which nothing was measured is missed."""
    ended = measured.ended
    failures = Counter(job.error_code or "failed" for job in ended if job.status == "failed")
    timeouts = failures.pop(TIMED_OUT, 0) + (0 if measured.interrupted else measured.unfinished)
    asked_for = measured.asked_for
    times = {
        "enqueue_seconds": _percentiles(measured.enqueue_seconds),
        "wait_seconds": _percentiles([job.wait for job in ended if job.wait is not None]),
        "run_seconds": _percentiles([job.run for job in ended if job.run is not None]),
        "end_to_end_seconds": _percentiles([job.end_to_end for job in ended if not job.cached]),
    }
    found = {
        "timeouts": timeouts / asked_for if asked_for else None,
        "errors": (failures.total() + measured.refused.total()) / asked_for if asked_for else None,
        "end_to_end_p95_seconds": times["end_to_end_seconds"]["p95"],
    }
    targets = {name: _judged(found[name], limit) for name, limit in _TARGETS.items()}
    return {
        "enqueued": len(measured.enqueue_seconds),
        "enqueued_per_second": asked_for / measured.enqueuing_seconds if measured.enqueuing_seconds else None,
        "completed": sum(job.status == "completed" for job in ended),
        "cached": sum(job.cached for job in ended),
        "timeouts": timeouts,
        "failed": dict(failures),
        "refused": dict(measured.refused),
        "cancelled": sum(job.status == "cancelled" for job in ended) + measured.unfinished,
        **times,
        "targets": targets,
        "met": all(target["met"] for target in targets.values()),
        "interrupted": measured.interrupted,
    }


def _judged(found: float | None, limit: float) -> dict[str, Any]:
    return {"below": limit, "measured": found, "met": found is not None and found < limit}


def _percentiles(values: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    return {f"p{share * 100:g}": _at(ordered, share) for share in _SHARES} | {"max": _at(ordered, 1)}


def _at(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None
