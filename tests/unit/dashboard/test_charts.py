"""Charts are well-formed, in proportion, and say their numbers to who cannot see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from analysis_worker.dashboard.charts import HEIGHT, WIDTH, Series, line_chart, stacked_bars, timeline
from analysis_worker.dashboard.drawings import attempts_timeline, costs_chart, usage_by

NASTY = "</svg><script>alert(1)</script>\"'"
LABELS = ["10:00", "10:01", "10:02"]
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def parsed(chart: Markup) -> ET.Element:
    return ET.fromstring(chart)  # noqa: S314 - our own


def bars(chart: Markup, kind: str) -> list[ET.Element]:
    return [each for each in parsed(chart).iter("rect") if each.get("class") == f"bar {kind}"]


def height(bar: ET.Element) -> float:
    return float(bar.get("height", "0"))


def test_bars_are_as_high_as_their_numbers_and_stand_on_each_other() -> None:
    chart = stacked_bars(
        "Jobs", LABELS, [Series("done", "completed", [4, 0, 8]), Series("bad", "failed", [4, None, 0])]
    )
    first, last = bars(chart, "completed")
    (failed,) = bars(chart, "failed")
    assert height(last) == pytest.approx(2 * height(first), abs=0.2)
    assert height(failed) == pytest.approx(height(first), abs=0.2)
    assert float(failed.get("y", "")) + height(failed) == pytest.approx(float(first.get("y", "")), abs=0.2)


def test_everything_stays_within_the_frame() -> None:
    series = [Series("done", "completed", [1, 999_999, 0.001])]
    chart = parsed(stacked_bars("Jobs", LABELS, series, Series("in", "enqueued", [5, 1_234_567, None])))
    for rect in chart.iter("rect"):
        x, y = float(rect.get("x", "")), float(rect.get("y", ""))
        assert x >= 0
        assert y >= 0
        assert x + float(rect.get("width", "")) <= WIDTH
        assert y + float(rect.get("height", "")) <= HEIGHT


def test_each_place_tells_its_numbers() -> None:
    chart = stacked_bars(
        "Jobs", LABELS, [Series("done", "completed", [4, 0, 8])], Series("in", "enqueued", [1, 2, None])
    )
    assert [each.text for each in parsed(chart).iter("title")] == [
        "10:00: done 4, in 1",
        "10:01: done 0, in 2",
        "10:02: done 8, in –",
    ]
    assert parsed(chart).get("aria-label") == "Jobs"


def test_a_line_is_broken_where_nothing_was_measured() -> None:
    chart = parsed(line_chart("Times", ["a", "b", "c", "d"], Series("p95", "time", [1, None, 2, 3]), "s"))
    (path,) = chart.iter("path")
    assert path.get("d", "").count("M") == 2
    assert path.get("d", "").count("L") == 1


@pytest.mark.parametrize("values", [[], [0, 0, 0], [None, None, None]])
def test_nothing_is_a_chart_without_marks(values: list[float | None]) -> None:
    labels = LABELS[: len(values)]
    assert bars(stacked_bars("Jobs", labels, [Series("done", "completed", values)]), "completed") == []
    parsed(line_chart("Times", labels, Series("p95", "time", values), "s"))


def test_whatever_is_written_into_a_chart_is_text() -> None:
    span = (NOW, NOW + timedelta(seconds=1), NASTY, NASTY)
    charts = [
        stacked_bars(NASTY, [NASTY], [Series(NASTY, NASTY, [1])], unit=NASTY),
        line_chart(NASTY, [NASTY], Series(NASTY, NASTY, [1]), NASTY),
        timeline(NASTY, NOW, NOW + timedelta(seconds=1), [span]),
    ]
    for chart in charts:
        assert list(parsed(chart).iter("script")) == []
        assert parsed(chart).get("aria-label") == NASTY


def test_attempts_are_drawn_from_enqueued_to_end_or_until_now() -> None:
    def at(seconds: int) -> str:
        return (NOW - timedelta(seconds=100 - seconds)).isoformat()

    job = {"created_at": at(0), "finished_at": None}
    attempts: list[dict[str, Any]] = [
        {"attempt": 1, "outcome": "failed", "started_at": at(0), "finished_at": at(50)},
        {"attempt": 2, "outcome": None, "started_at": at(75), "finished_at": None},
    ]
    drawn = attempts_timeline(job, attempts, NOW)
    (failed,), (running,) = bars(drawn, "failed"), bars(drawn, "running")
    assert (float(failed.get("x", "")), float(failed.get("width", ""))) == (0, 360)
    assert (float(running.get("x", "")), float(running.get("width", ""))) == (540, 180)


def test_costs_have_a_place_for_every_day_and_sums_for_every_type() -> None:
    one = {"attempts": 1, "input_tokens": 10, "output_tokens": 1, "cost_micro_usd": 500_000}
    usage = [
        {"day": "2026-01-02", "type": "b"} | one,
        {"day": "2026-01-02", "type": "a"} | one,
        {"day": "2025-12-31", "type": "a"} | one,
    ]
    assert [(row["type"], row["cost_micro_usd"]) for row in usage_by(usage, "type")] == [
        ("a", 1_000_000),
        ("b", 500_000),
    ]
    chart = costs_chart(usage, 7, NOW)
    assert [each.text for each in parsed(chart).iter("title")][-3:] == [
        "31 Dec: cost $0.500",
        "01 Jan: cost $0",
        "02 Jan: cost $1",
    ]
    assert len(bars(chart, "cost")) == 2
