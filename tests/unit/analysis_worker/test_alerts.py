"""Which numbers of the queue wake somebody, each threshold from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from analysis_worker.cli.alerts_rules import find_alerts

QUIET: dict[str, Any] = {
    "claimable": 0,
    "waiting": 0,
    "delayed": 0,
    "oldest_claimable_seconds": None,
    "paused": False,
}
CALM: dict[str, Any] = {
    "at": "2026-01-01T12:00:00+00:00",
    "workers_alive": 1,
    "attempts": 100,
    "error_rate": 0.0,
    "ended_per_minute": 10.0,
    "wait_seconds": {"p95": 1.0},
    "run_seconds": {"p95": 5.0},
}


def alerts(health: dict[str, Any] | None = None, of_type: dict[str, Any] | None = None, **stats: Any) -> list[str]:
    types = {"exam": QUIET | (of_type or {}), "plan": QUIET}
    found = find_alerts(CALM | {"types": types} | stats, {"no_worker_since": None} | (health or {}))
    return [alert.name for alert in found]


def test_a_calm_queue_wakes_nobody() -> None:
    assert alerts() == []


@pytest.mark.parametrize(
    ("of_type", "expected"),
    [
        ({"claimable": 20, "waiting": 30}, []),
        ({"claimable": 20, "waiting": 31}, ["AnalysisQueueLong"]),
        ({"delayed": 5000}, []),
        ({"oldest_claimable_seconds": 300}, []),
        ({"oldest_claimable_seconds": 301}, ["AnalysisOldestJobWaits"]),
        ({"oldest_claimable_seconds": 9999, "paused": True}, []),
    ],
)
def test_jobs_that_wait(of_type: dict[str, Any], expected: list[str]) -> None:
    assert alerts(of_type=of_type) == expected


@pytest.mark.parametrize(("since", "expected"), [("11:55:00", []), ("11:54:59", ["AnalysisWorkerOffline"])])
def test_workers_that_are_gone(since: str, expected: list[str]) -> None:
    assert alerts(health={"no_worker_since": f"2026-01-01T{since}+00:00"}) == expected


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({"error_rate": 0.05}, []),
        ({"error_rate": 0.051}, ["AnalysisErrorRateHigh"]),
        ({"error_rate": 1.0, "attempts": 19}, []),
        ({"error_rate": None}, []),
        ({"wait_seconds": {"p95": 20.0}, "run_seconds": {"p95": 10.0}}, []),
        ({"wait_seconds": {"p95": 20.0}, "run_seconds": {"p95": 10.5}}, ["AnalysisLatencyHigh"]),
        ({"wait_seconds": {"p95": None}, "run_seconds": {"p95": 31.0}}, ["AnalysisLatencyHigh"]),
        ({"run_seconds": {"p95": 500.0}, "attempts": 19}, []),
    ],
)
def test_attempts_that_fail_or_are_slow(stats: dict[str, Any], expected: list[str]) -> None:
    assert alerts(**stats) == expected


@pytest.mark.parametrize(
    ("stats", "of_type", "is_stuck"),
    [
        ({"ended_per_minute": 0}, {"oldest_claimable_seconds": 301}, True),
        ({"ended_per_minute": 0.2}, {"oldest_claimable_seconds": 301}, False),
        ({"ended_per_minute": 0}, {"oldest_claimable_seconds": 301, "paused": True}, False),
        ({"ended_per_minute": 0, "workers_alive": 0}, {"oldest_claimable_seconds": 301}, False),
        ({"ended_per_minute": 0}, {}, False),
    ],
)
def test_a_queue_that_is_stuck(stats: dict[str, Any], of_type: dict[str, Any], is_stuck: bool) -> None:
    assert ("AnalysisQueueStuck" in alerts(of_type=of_type, **stats)) is is_stuck
