"""`analysis-worker health`: do jobs get done, or: is this worker ready?"""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from analysis_worker.adapters.pages import fetch
from analysis_worker.cli.operator import EXIT_UNREACHABLE, JsonOption, fail, operations, print_json
from analysis_worker.cli.queue_access import seconds
from analysis_worker.errors import StoreUnavailableError

EXIT_UNHEALTHY = 4


def health(
    worker: Annotated[
        str | None, typer.Option(help="Ask the worker behind this URL instead (ANALYSIS_WORKER_PORT), for containers.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say whether jobs get done, as clients are told: workers alive, the longest wait, the share of failures.

    Exit codes: 0 healthy, 1 refused by the queue, 2 bad configuration or arguments, 3 no answer, 4 unhealthy.
    """
    if worker is None:
        _ask_queue(json)
    else:
        _ask_worker(worker, json)


def _ask_queue(json: bool) -> None:
    with operations() as opened:
        state = opened.call("check_health", {})
    if json:
        print_json(state)
    else:
        typer.echo("healthy" if state["healthy"] else f"unhealthy: {state['why']}")
        typer.echo(f"  {state['workers']} workers alive, since {state['changed_at']}")
        if state["wait_seconds"] is not None:
            typer.echo(f"  the next job has waited {seconds(state['wait_seconds'])}")
        if state["error_rate"] is not None:
            typer.echo(f"  {state['error_rate']:.1%} of {state['attempts']} attempts failed")
    if not state["healthy"]:
        raise typer.Exit(EXIT_UNHEALTHY)


def _ask_worker(url: str, json: bool) -> None:
    try:
        page = fetch(f"{url.rstrip('/')}/readyz")
        state = json_module.loads(page.text)
    except (StoreUnavailableError, ValueError) as error:
        fail(f"{url} does not answer as a worker: {error}", EXIT_UNREACHABLE)
    if json:
        print_json(state)
    else:
        typer.echo(f"{state['status']}, listener {state['listener']}")
    if page.status != 200:
        raise typer.Exit(EXIT_UNHEALTHY)
