"""`analysis-worker deploy`: the database, the Edge Functions and the worker, in this order."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from analysis_worker.cli.deploy_steps import Means, NotPossibleError, Part, Planned, State, Step, carry_out, plan
from analysis_worker.cli.operator import EXIT_BAD_CONFIGURATION, EXIT_REFUSED, JsonOption, fail, print_json
from analysis_worker.cli.supabase_cli import find_cli
from analysis_worker.settings import OperatorSettings


def deploy(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    only: Annotated[Part | None, typer.Option(help="This part alone.")] = None,
    db_url: Annotated[
        str | None,
        typer.Option(
            help="postgresql://..., as the role postgres; - reads it from standard input. Else the linked one."
        ),
    ] = None,
    project: Annotated[Path, typer.Option(help="Where the folder supabase is.")] = Path(),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Apply the migrations, deploy the Edge Functions, and have the worker built anew.

    Migrations and functions go through the Supabase CLI to the project it is linked to (`supabase link`); with --db-url
    the migrations need no CLI. The worker's webhook, as EasyPanel gives one to each app, is in
    ANALYSIS_WORKER_DEPLOY_WEBHOOK. What is missing is said before anything is changed; after a step that fails nothing
    more is done. Every step may be done again.

    Exit codes: 0 done, 1 a step failed or refused at the prompt, 2 nothing was begun: something is missing, or bad
    arguments.
    """
    webhook = OperatorSettings().deploy_webhook
    webhook_url = None if webhook is None else webhook.get_secret_value()
    url = sys.stdin.readline().strip() if db_url == "-" else db_url
    try:
        planned = plan(Means(project, find_cli(project), url, webhook_url), only)
    except NotPossibleError as error:
        fail(str(error), EXIT_BAD_CONFIGURATION)
    steps = [step for step, _ in planned]
    if dry_run:
        _tell(steps, json)
        return
    if not yes:
        _ask(steps)
    _carry_out(planned, json)
    if any(step.state is State.FAILED for step in steps):
        raise typer.Exit(EXIT_REFUSED)


def _ask(steps: Sequence[Step]) -> None:
    if not sys.stdin.isatty():
        return
    for step in steps:
        typer.echo(f"  {step.name}: {step.does or step.detail}", err=True)
    if not typer.confirm("Deploy?", err=True):
        fail("nothing was changed", EXIT_REFUSED)


def _carry_out(planned: Sequence[Planned], json: bool) -> None:
    ended = []
    for step in carry_out(planned):
        ended.append(step)
        if not json:
            typer.echo(_text(step))
    if json:
        _tell(ended, json)


def _tell(steps: Sequence[Step], json: bool) -> None:
    if json:
        print_json([asdict(step) for step in steps])
    else:
        typer.echo("\n".join(map(_text, steps)))


def _text(step: Step) -> str:
    took = f" ({step.seconds:.1f} s)" if step.seconds else ""
    told = step.detail if step.state in {State.DONE, State.FAILED, State.SKIPPED} else step.does
    return f"{step.state:<9} {step.name}{took}{': ' if told else ''}{told}"
