"""When to wake somebody, from the queue's own numbers. Pure.

The same names and thresholds as in `examples/monitoring/alerts.yml`, for whoever has no Prometheus. Where that waits
for a while before it alerts, this looks at a window that has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

QUEUE_LENGTH = 50
OFFLINE_SECONDS = 300
ERROR_RATE = 0.05
LATENCY_SECONDS = 30
WAIT_SECONDS = 300
MIN_ATTEMPTS = 20
WINDOW_SECONDS = 300
Numbers = Mapping[str, Any]


class Severity(StrEnum):
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    name: str
    severity: Severity
    summary: str


def find_alerts(stats: Numbers, health: Numbers) -> list[Alert]:
    """`stats` is the answer of queue_stats over WINDOW_SECONDS, `health` that of check_health."""
    at = datetime.fromisoformat(stats["at"])
    found = [_length(stats), _offline(at, health), _errors(stats), _latency(stats), _stuck(stats), *_waits(stats)]
    return [alert for alert in found if alert is not None]


def _length(stats: Numbers) -> Alert | None:
    waiting = sum(of["claimable"] + of["waiting"] for of in stats["types"].values())
    if waiting <= QUEUE_LENGTH:
        return None
    return Alert("AnalysisQueueLong", Severity.WARNING, f"{waiting} jobs wait")


def _offline(at: datetime, health: Numbers) -> Alert | None:
    if health["no_worker_since"] is None:
        return None
    gone = (at - datetime.fromisoformat(health["no_worker_since"])).total_seconds()
    if gone <= OFFLINE_SECONDS:
        return None
    return Alert("AnalysisWorkerOffline", Severity.CRITICAL, f"no worker for {gone / 60:.0f} min")


def _errors(stats: Numbers) -> Alert | None:
    if stats["attempts"] < MIN_ATTEMPTS or (stats["error_rate"] or 0) <= ERROR_RATE:
        return None
    summary = f"{stats['error_rate']:.1%} of {stats['attempts']} attempts failed"
    return Alert("AnalysisErrorRateHigh", Severity.CRITICAL, summary)


def _latency(stats: Numbers) -> Alert | None:
    """The two percentiles are not of the same jobs: their sum is about the percentile of the sum, seldom below it."""
    if stats["attempts"] < MIN_ATTEMPTS:
        return None
    p95 = (stats["wait_seconds"]["p95"] or 0) + (stats["run_seconds"]["p95"] or 0)
    if p95 <= LATENCY_SECONDS:
        return None
    return Alert("AnalysisLatencyHigh", Severity.WARNING, f"jobs take {p95:.0f} s (95th percentile)")


def _stuck(stats: Numbers) -> Alert | None:
    active = [of for of in stats["types"].values() if not of["paused"]]
    waits = any((of["oldest_claimable_seconds"] or 0) > WINDOW_SECONDS for of in active)
    if not (waits and stats["workers_alive"] and not stats["ended_per_minute"]):
        return None
    return Alert("AnalysisQueueStuck", Severity.CRITICAL, "workers live, jobs wait, and none has ended")


def _waits(stats: Numbers) -> list[Alert]:
    return [
        Alert(
            "AnalysisOldestJobWaits",
            Severity.WARNING,
            f"a job of type {type} has waited {of['oldest_claimable_seconds'] / 60:.0f} min",
        )
        for type, of in sorted(stats["types"].items())
        if not of["paused"] and (of["oldest_claimable_seconds"] or 0) > WAIT_SECONDS
    ]
