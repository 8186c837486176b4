"""`analysis-worker load-test`: does this installation keep what it promises at so many jobs a second?"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import typer
from rich.console import Console

from analysis_worker.adapters.records import Records
from analysis_worker.cli.load_test_report import report_of
from analysis_worker.cli.load_test_run import NUMBER, LoadTest, Plan
from analysis_worker.cli.operator import EXIT_REFUSED, JsonOption, fail, print_json
from analysis_worker.cli.queue import TypeArgument, read_input
from analysis_worker.cli.queue_access import access, seconds, show_table
from analysis_worker.settings import Settings

EXIT_MISSED = 1
EXIT_INTERRUPTED = 130
_MOST_UNASKED = 1000
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_TIMES = {
    "enqueue_seconds": "enqueue",
    "wait_seconds": "wait",
    "run_seconds": "run",
    "end_to_end_seconds": "end to end",
}


def load_test(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    type: TypeArgument,
    rate: Annotated[float, typer.Option(min=0.01, max=500, help="Jobs a second.")] = 5,
    duration: Annotated[float, typer.Option(min=0.1, max=86400, help="For so many seconds.")] = 60,
    users: Annotated[int, typer.Option(min=1, max=200, help="Callers; each waits for its answer.")] = 10,
    input: Annotated[
        Path | None,
        typer.Option(help=f"A file with the input as JSON; - for standard input. {NUMBER} in it is the job's number."),
    ] = None,
    patience: Annotated[
        float, typer.Option(min=1, max=86400, help="Seconds after the last call until what has not ended is cancelled.")
    ] = 60,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help=f"Do not ask: not before {_MOST_UNASKED} jobs, not before a hosted project."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Enqueue jobs that belong to nobody at a steady rate, follow them to their end, and hold the times to the targets.

    Targets: end to end p95 below 20 s, timeouts below 0.1 %, errors below 1 %. The jobs are real ones: they take turns
    with those of users, ask providers, and stay until their type's retention prunes them. Their idempotency keys begin
    with load-test/. Ctrl-C cancels what has not ended, and reports.

    Exit codes: 0 targets met, 1 one missed, or refused by the queue or at the prompt, 2 bad configuration or arguments,
    3 no answer, 130 interrupted.
    """
    document = read_input(input)
    plan = Plan(type, document, rate, max(1, round(rate * duration)), users, patience, f"load-test/{uuid4()}")
    with access() as opened:
        if not opened.records.read("analysis_types", {"select": "type", "type": f"eq.{type}"}):
            fail("PT404: unknown analysis type", EXIT_REFUSED)
        _ask(f"{plan.jobs} jobs of {type}; {_price(opened.records, plan)}", plan.jobs, yes)
        with Console(stderr=True).status("") as status:
            measured = LoadTest(plan, opened).run(status.update)
    report = {"type": type, "mark": plan.mark, "jobs": plan.jobs, "rate": rate, "users": users} | report_of(measured)
    if json:
        print_json(report)
    else:
        _show(report)
    if measured.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if not report["met"]:
        raise typer.Exit(EXIT_MISSED)


def _ask(what: str, jobs: int, yes: bool) -> None:
    """Ends the program where nobody agrees to that many jobs, or to any where real users may be."""
    typer.echo(what, err=True)
    url = Settings().supabase_url
    if yes or (jobs <= _MOST_UNASKED and urlsplit(url).hostname in _LOCAL):
        return
    if not (sys.stdin.isatty() and typer.confirm(f"Enqueue them at {url}?", err=True)):
        fail("nothing was enqueued; --yes does it without asking", EXIT_REFUSED)


def _price(records: Records, plan: Plan) -> str:
    """What the providers may charge, by what the latest jobs of this type did cost."""
    latest = {"select": "id", "type": f"eq.{plan.type}", "status": "eq.completed", "cached": "is.false", "limit": "50"}
    ids = [row["id"] for row in records.read("analysis_jobs", latest | {"order": "finished_at.desc"})]
    if not ids:
        return "none has run before, so what providers charge for them is not known"
    attempts = records.read("analysis_attempts", {"select": "usage", "job_id": f"in.({','.join(ids)})"})
    micro = (
        statistics.fmean((row["usage"] or {}).get("cost_micro_usd", 0) for row in attempts) * len(attempts) / len(ids)
    )
    return f"providers may charge about ${plan.jobs * micro / 1e6:.2f} for them, by the latest {len(ids)}"


def _show(report: dict[str, Any]) -> None:
    rate = report["enqueued_per_second"]
    typer.echo(f"{report['enqueued']} of {report['jobs']} jobs enqueued{f', {rate:.1f} a second' if rate else ''}")
    for name in ("completed", "cached", "timeouts", "cancelled"):
        if report[name]:
            typer.echo(f"{report[name]} {name}")
    for name in ("failed", "refused"):
        for code, count in report[name].items():
            typer.echo(f"{count} {name}: {code}")
    show_table(
        ("", "p50 ", "p95 ", "p99 ", "max "),
        [(shown, *map(_time, report[name].values())) for name, shown in _TIMES.items()],
    )
    for name, target in report["targets"].items():
        measured = "nothing" if target["measured"] is None else f"{target['measured']:.4g}"
        typer.echo(f"{'met   ' if target['met'] else 'MISSED'} {name}: {measured}, to be below {target['below']:g}")


def _time(value: float | None) -> str:
    return f"{value * 1000:.0f} ms" if value is not None and value < 1 else seconds(value)
