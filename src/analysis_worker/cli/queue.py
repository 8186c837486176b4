"""`analysis-worker queue-stats`, `pause`, `resume`, `test-enqueue`, `metrics`: the queue as a whole."""

from __future__ import annotations

import importlib.util
import json as json_module
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis_worker.adapters.operators import Operations
from analysis_worker.adapters.pages import fetch
from analysis_worker.cli.operator import (
    EXIT_BAD_CONFIGURATION,
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    JsonOption,
    ReasonOption,
    fail,
    operations,
    print_json,
)
from analysis_worker.cli.queue_access import seconds, show_table
from analysis_worker.errors import StoreUnavailableError

EXIT_NOT_YET = 4
_LOOK_SECONDS = 0.5
_TERMINAL = {"completed", "failed", "cancelled"}
TypeArgument = Annotated[str, typer.Argument(help="The job type.")]


def queue_stats(
    window: Annotated[
        int, typer.Option(min=1, max=604800, help="Seconds that rates and times are measured over.")
    ] = 3600,
    json: JsonOption = False,
) -> None:
    """Show how long the queue is, how long jobs wait and run, and how many fail, by type."""
    with operations() as opened:
        stats = opened.call("queue_stats", {"window_seconds": window})
    if json:
        print_json(stats)
        return
    typer.echo(f"{stats['workers_alive']} workers alive; the last {seconds(stats['window_seconds'])}:")
    columns = ("type", "pending ", "oldest ", "running ", "in/min ", "out/min ", "wait p95 ", "run p95 ", "errors ", "")
    everything = {"all": stats | {"paused": False}}
    show_table(
        columns, [_stats_row(type, of) for type, of in (sorted(stats["types"].items()) + list(everything.items()))]
    )


def _stats_row(type: str, of: dict[str, Any]) -> tuple[object, ...]:
    errors = "" if of["error_rate"] is None else f"{of['error_rate']:.1%}"
    return (
        type,
        of["pending"],
        seconds(of["oldest_claimable_seconds"]),
        of["running"],
        f"{of['enqueued_per_minute']:.1f}",
        f"{of['ended_per_minute']:.1f}",
        seconds(of["wait_seconds"]["p95"]),
        seconds(of["run_seconds"]["p95"]),
        errors,
        "paused" if of["paused"] else "",
    )


def pause(type: TypeArgument, reason: ReasonOption = None, json: JsonOption = False) -> None:
    """Neither enqueue nor claim jobs of a type any more; running ones go on, pending ones wait."""
    _change("pause_type", type, reason, json)


def resume(type: TypeArgument, reason: ReasonOption = None, json: JsonOption = False) -> None:
    """Enqueue and claim jobs of a type again."""
    _change("resume_type", type, reason, json)


def _change(function: str, type: str, reason: str | None, json: bool) -> None:
    with operations() as opened:
        answer = opened.call(function, {"type": type, "reason": reason})
    if json:
        print_json(answer)
    else:
        state = "paused" if answer["paused"] else "not paused"
        typer.echo(f"{type}: {state}{'' if answer['changed'] else ', and was so already'}")


def enqueue_test(
    type: TypeArgument,
    input: Annotated[Path | None, typer.Option(help="A file with the input as JSON; - for standard input.")] = None,
    wait: Annotated[float, typer.Option(min=0, max=86400, help="Seconds to wait for the job's end.")] = 0,
    json: JsonOption = False,
) -> None:
    """Enqueue a job that belongs to nobody, and wait for its end if asked to.

    Exit codes: 0 enqueued or, with --wait, completed; 1 refused by the queue, or the job failed or was cancelled; 2 bad
    configuration or arguments; 3 no answer, the job may be there; 4 not ended in time.
    """
    document = read_input(input)
    with operations() as opened:
        answer = opened.call("enqueue_analysis", {"type": type, "input": document})
        if wait:
            answer = _follow(opened, answer["id"], wait)
    if json:
        print_json(answer)
    else:
        typer.echo(f"{answer['id']} {answer['status']}")
        if answer.get("error"):
            typer.echo(f"{answer['error']['code']}: {answer['error']['message']}")
    if wait and answer["status"] != "completed":
        raise typer.Exit(EXIT_REFUSED if answer["status"] in _TERMINAL else EXIT_NOT_YET)


def read_input(file: Path | None) -> Any:
    if file is None:
        return {}
    try:
        return json_module.loads(sys.stdin.read() if str(file) == "-" else file.read_text())
    except (OSError, ValueError) as error:
        fail(f"{file}: {error}", EXIT_BAD_CONFIGURATION)


def _follow(opened: Operations, job_id: str, wait_seconds: float) -> Any:
    give_up_at = time.monotonic() + wait_seconds
    while True:
        answer = opened.call("get_analysis_status", {"job_id": job_id})
        if answer["status"] in _TERMINAL or time.monotonic() >= give_up_at:
            return answer
        time.sleep(min(_LOOK_SECONDS, wait_seconds))


def metrics(
    worker: Annotated[
        str, typer.Option(help="Where the worker's port is (ANALYSIS_WORKER_PORT).")
    ] = "http://127.0.0.1:9464",
    json: JsonOption = False,
) -> None:
    """Show what a worker measures, as Prometheus reads it.

    Exit codes: 0 shown, 1 the worker has no metrics, 2 bad arguments, 3 no answer.
    """
    try:
        page = fetch(f"{worker.rstrip('/')}/metrics")
    except StoreUnavailableError as error:
        fail(f"{worker} does not answer: {error}", EXIT_UNREACHABLE)
    if page.status != 200:
        fail(f"{worker}: HTTP {page.status}: {page.text.strip()}", EXIT_REFUSED)
    if json:
        print_json(_parse(page.text))
    else:
        typer.echo(page.text, nl=False)


def _parse(text: str) -> list[dict[str, Any]]:
    if importlib.util.find_spec("prometheus_client") is None:
        fail("--json needs a parser: pip install 'analysis-worker[metrics]'", EXIT_BAD_CONFIGURATION)
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - an extra

    return [
        {"name": sample.name, "labels": sample.labels, "value": sample.value if sample.value == sample.value else None}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
