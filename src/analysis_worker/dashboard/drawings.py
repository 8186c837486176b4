"""Which numbers become which chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from analysis_worker.dashboard.charts import Series, line_chart, stacked_bars, timeline
from analysis_worker.dashboard.formats import between, moment

_ENDINGS = ("completed", "failed", "cancelled")
_USED = ("attempts", "input_tokens", "output_tokens", "cost_micro_usd")


def jobs_chart(history: Mapping[str, Any]) -> Markup:
    buckets = history["buckets"]
    series = [Series(name, name, [bucket[name] for bucket in buckets]) for name in _ENDINGS]
    enqueued = Series("enqueued", "enqueued", [bucket["enqueued"] for bucket in buckets])
    told = ", ".join(f"{sum(bucket[name] for bucket in buckets):,} {name}" for name in ("enqueued", *_ENDINGS))
    return stacked_bars(f"Jobs over time: {told}", _labels(history), series, enqueued)


def times_chart(history: Mapping[str, Any]) -> Markup:
    values = [bucket["run_seconds_p95"] for bucket in history["buckets"]]
    measured = [value for value in values if value is not None]
    told = f"at most {max(measured):.1f} s" if measured else "nothing measured"
    series = Series("95th percentile", "time", values)
    return line_chart(f"Run time of attempts, 95th percentile: {told}", _labels(history), series, "s")


def costs_chart(usage: Sequence[Mapping[str, Any]], days: int, now: datetime) -> Markup:
    spent = {row["day"]: row["cost_micro_usd"] / 1_000_000 for row in usage_by(usage, "day")}
    dates = [(now - timedelta(days=back)).date() for back in reversed(range(days))]
    series = Series("cost", "cost", [spent.get(date.isoformat(), 0.0) for date in dates])
    title = f"Cost per day, in dollars: {sum(spent.values()):,.2f} in all"
    return stacked_bars(title, [f"{date:%d %b}" for date in dates], [series], unit="$")


def usage_by(usage: Iterable[Mapping[str, Any]], column: str) -> list[dict[str, Any]]:
    """Added up, in the order of `column`."""
    totals: dict[str, dict[str, Any]] = {}
    for row in usage:
        total = totals.setdefault(row[column], {column: row[column]} | dict.fromkeys(_USED, 0))
        for name in _USED:
            total[name] += row[name]
    return [totals[key] for key in sorted(totals)]


def attempts_timeline(job: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]], now: datetime) -> Markup:
    """From when the job was enqueued to its end, or until now."""
    spans = []
    for row in attempts:
        began, ended = _time(row["started_at"]), _time(row["finished_at"]) or now
        assert began is not None
        kind = row["outcome"] or "running"
        text = f"attempt {row['attempt']}: {kind}, began {moment(row['started_at'])}, ran "
        spans.append((began, max(began, ended), kind, text + between(row["started_at"], ended.isoformat())))
    begin, end = _time(job["created_at"]), _time(job["finished_at"]) or now
    assert begin is not None
    first = min([begin, *(span[0] for span in spans)])
    last = max([end, *(span[1] for span in spans)])
    return timeline(f"{len(spans)} attempts from enqueued to end", first, last, spans)


def _labels(history: Mapping[str, Any]) -> list[str]:
    form = "%H:%M" if history["step_seconds"] < 3600 else "%d %b %H:%M"
    return [f"{datetime.fromisoformat(bucket['at']):{form}}" for bucket in history["buckets"]]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
