"""The pages: what each asks the queue, and what it hands to its template. They change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analysis_worker.dashboard import drawings
from analysis_worker.dashboard.filters import JobFilter, choice, whole_number
from analysis_worker.dashboard.queries import AUDIT_SHOWN, Queries

WINDOWS = {"1h": (3600, 60), "24h": (86400, 96), "7d": (604800, 84)}
DAYS = {"1d": 1, "7d": 7, "14d": 14}


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody asks for a page. `place` is what the path names, `query` what follows it."""

    queries: Queries
    query: Mapping[str, str]
    place: Mapping[str, str]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Page:
    """`template` is the part that is replaced while one looks, where the page is live; `controls`, above it, stays."""

    title: str
    template: str
    values: Mapping[str, Any]
    controls: str | None = None
    is_live: bool = True


class NotFoundError(Exception):
    """There is no such page."""


async def overview(visit: Visit) -> Page:
    window = choice(visit.query, "window", WINDOWS)
    seconds, buckets = WINDOWS[window]
    stats = await visit.queries.stats(seconds)
    history = await visit.queries.history(seconds, buckets)
    failures = await visit.queries.jobs(JobFilter(status="failed").arguments(max_jobs=5))
    values = {
        "window": window,
        "windows": list(WINDOWS),
        "stats": stats,
        "health": await visit.queries.health(),
        "failures": failures["jobs"],
        "history": history,
        "jobs_chart": drawings.jobs_chart(history),
        "times_chart": drawings.times_chart(history),
    }
    return Page("Overview", "overview.html", values)


async def jobs(visit: Visit) -> Page:
    wanted = JobFilter.read(visit.query)
    types = [kind["type"] for kind in await visit.queries.types()]
    found = await visit.queries.jobs(wanted.arguments())
    values = {"filter": wanted, "types": types, "jobs": found["jobs"], "next": wanted.after(found["next"])}
    return Page("Jobs", "jobs.html", values, controls="jobs_filter.html")


async def job(visit: Visit) -> Page:
    found = await visit.queries.job(visit.place["job_id"])
    if found is None:
        raise NotFoundError("There is no such job. It may have been deleted after its retention time.")
    row, attempts, audit = found
    timeline = drawings.attempts_timeline(row, attempts, visit.now)
    return Page("Job", "job.html", {"job": row, "attempts": attempts, "audit": audit, "timeline": timeline})


async def types(visit: Visit) -> Page:
    stats = await visit.queries.stats(WINDOWS["1h"][0])
    return Page("Types", "types.html", {"types": await visit.queries.types(), "stats": stats["types"]})


async def workers(visit: Visit) -> Page:
    running = await visit.queries.jobs(JobFilter(status="processing").arguments(max_jobs=200))
    held = Counter(job["leased_by"] for job in running["jobs"])
    rows = []
    for row in await visit.queries.workers():
        silent = max(0.0, (visit.now - datetime.fromisoformat(row["heartbeat_at"])).total_seconds())
        rows.append(
            row | {"silent_seconds": silent, "alive": silent < row["lease_seconds"], "running": held[row["id"]]}
        )
    return Page("Workers", "workers.html", {"workers": rows, "counted_all": running["next"] is None})


async def errors(visit: Visit) -> Page:
    window = choice(visit.query, "window", WINDOWS, "24h")
    found = await visit.queries.errors(WINDOWS[window][0])
    return Page("Errors", "errors.html", {"window": window, "windows": list(WINDOWS), "errors": found})


async def costs(visit: Visit) -> Page:
    window = choice(visit.query, "window", DAYS, "7d")
    usage = await visit.queries.usage(DAYS[window])
    values = {
        "window": window,
        "windows": list(DAYS),
        "usage": usage,
        "totals": drawings.usage_by(usage, "type"),
        "days": drawings.usage_by(usage, "day"),
        "chart": drawings.costs_chart(usage, DAYS[window], visit.now),
    }
    return Page("Cost", "costs.html", values)


async def audit(visit: Visit) -> Page:
    before = whole_number(visit.query, "before")
    rows = await visit.queries.audit(before)
    return Page("Audit", "audit.html", {"entries": rows[:AUDIT_SHOWN], "more": len(rows) > AUDIT_SHOWN})


View = Callable[[Visit], Awaitable[Page]]
JOB_ID = "{job_id:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}}"
VIEWS: Mapping[str, View] = {
    "/": overview,
    "/jobs": jobs,
    f"/jobs/{JOB_ID}": job,
    "/types": types,
    "/workers": workers,
    "/errors": errors,
    "/costs": costs,
    "/audit": audit,
}
