"""Does the queue move, and is there somebody for everything in it? Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from analysis_worker.cli.doctor_findings import Finding, fault, ok, skipped, warning

_STUCK_SECONDS = 300
Numbers = Mapping[str, Any]


def check_queue(stats: Numbers) -> Iterator[Finding]:
    """`stats` is the answer of queue_stats."""
    yield _check_workers(stats)
    yield _check_waiting(stats)
    yield _check_paused(stats)


def check_handlers(stats: Numbers, handled: Collection[str] | None) -> Finding:
    """`handled` are the types of an application's handlers; None where no application was named."""
    if handled is None:
        return skipped("handlers", "name the application with --app to compare its handlers with the job types")
    types = {type for type, of in stats["types"].items() if not of["paused"]}
    if orphans := sorted(types - set(handled)):
        fix = "; ".join(f"add a handler, or: analysis-worker pause {type}" for type in orphans)
        return fault("handlers", f"types without a handler: {', '.join(orphans)}: their jobs wait for ever", fix)
    if unknown := sorted(set(handled) - stats["types"].keys()):
        fix = "Give each a row in public.analysis_types, in a migration."
        return fault("handlers", f"handlers without a type: {', '.join(unknown)}: nobody can enqueue for them", fix)
    return ok("handlers", f"one for each of {len(types)} types")


def _check_workers(stats: Numbers) -> Finding:
    if stats["workers_alive"]:
        return ok("workers", f"{stats['workers_alive']} alive")
    fix = "analysis-worker run --app <package.module:app>; if one runs, its log says why it is not heard."
    if stats["claimable"]:
        return fault("workers", f"none alive, and {stats['claimable']} jobs wait", fix)
    return warning("workers", "none alive", fix)


def _check_waiting(stats: Numbers) -> Finding:
    waits = {
        type: of["oldest_claimable_seconds"]
        for type, of in stats["types"].items()
        if not of["paused"] and (of["oldest_claimable_seconds"] or 0) > _STUCK_SECONDS
    }
    if not waits:
        return ok("queue", f"{stats['pending']} pending, {stats['running']} running")
    oldest = ", ".join(f"{type} for {seconds / 60:.0f} min" for type, seconds in sorted(waits.items()))
    fix = "Start more workers, raise ANALYSIS_WORKER_CONCURRENCY or the types' concurrency; `queue-stats` shows where."
    return fault("queue", f"jobs could be claimed and are not: {oldest}", fix)


def _check_paused(stats: Numbers) -> Finding:
    paused = sorted(type for type, of in stats["types"].items() if of["paused"])
    if paused:
        fix = "; ".join(f"analysis-worker resume {type}" for type in paused)
        return warning("paused", ", ".join(paused), fix)
    return ok("paused", "no type")
