"""What a load test says of what it measured."""

from __future__ import annotations

from collections import Counter

import pytest

from analysis_worker.cli.load_test_report import EndedJob, Measured, report_of


def ended(count: int, seconds: float = 1.0, status: str = "completed", code: str | None = None) -> list[EndedJob]:
    return [EndedJob(status, code, cached=False, wait=0.1, run=seconds - 0.1, end_to_end=seconds)] * count


def missed(measured: Measured) -> set[str]:
    targets = report_of(measured)["targets"]
    return {name for name, target in targets.items() if not target["met"]}


def test_seconds_are_those_of_the_database() -> None:
    row = {
        "status": "failed", "error": {"code": "broken"}, "cached": False, "created_at": "2026-11-26T10:00:00+00:00",
        "started_at": "2026-11-26T10:00:01.5+00:00", "finished_at": "2026-11-26T10:00:04+00:00",
    }  # fmt: skip
    assert EndedJob.of(row) == EndedJob("failed", "broken", False, 1.5, 2.5, 4.0)
    cached = EndedJob.of(row | {"status": "completed", "error": None, "cached": True, "started_at": None})
    assert (cached.wait, cached.run) == (None, None)


def test_all_targets_are_met_where_all_goes_well() -> None:
    report = report_of(Measured([0.01] * 100, ended=ended(96) + ended(4, seconds=30), enqueuing_seconds=20))
    assert report["met"]
    assert report["enqueued_per_second"] == 5
    assert report["end_to_end_seconds"] == {"p50": 1.0, "p95": 1.0, "p99": 30, "max": 30}
    assert report["wait_seconds"]["p99"] == 0.1


@pytest.mark.parametrize(
    ("measured", "target"),
    [
        (Measured([0.01] * 100, ended=ended(94) + ended(6, seconds=21)), "end_to_end_p95_seconds"),
        (Measured([0.01] * 1000, ended=ended(999), unfinished=1), "timeouts"),
        (Measured([0.01] * 1000, ended=ended(999) + ended(1, 1, "failed", "deadline_exceeded")), "timeouts"),
        (Measured([0.01] * 100, ended=ended(99) + ended(1, 1, "failed", "broken")), "errors"),
        (Measured([0.01] * 99, Counter({"PT429": 1}), ended(99)), "errors"),
    ],
)
def test_what_goes_wrong_misses_its_target_alone(measured: Measured, target: str) -> None:
    assert missed(measured) == {target}


def test_a_test_that_measured_nothing_meets_nothing() -> None:
    assert missed(Measured()) == {"timeouts", "errors", "end_to_end_p95_seconds"}


def test_what_an_interruption_cancels_is_no_timeout() -> None:
    report = report_of(Measured([0.01] * 10, ended=ended(4), unfinished=6, interrupted=True))
    assert (report["timeouts"], report["cancelled"], report["interrupted"]) == (0, 6, True)


def test_answers_from_the_cache_are_counted_and_not_timed() -> None:
    answered = EndedJob("completed", None, cached=True, wait=None, run=None, end_to_end=0.0)
    report = report_of(Measured([0.01] * 2, ended=[*ended(1), answered]))
    assert (report["completed"], report["cached"], report["end_to_end_seconds"]["p50"]) == (2, 1, 1.0)
