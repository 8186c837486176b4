"""`analysis-worker test-e2e`: does an analysis work for a user, from sign-in to result?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import anyio
import typer

from analysis_worker.cli.e2e_steps import Journey, Login
from analysis_worker.cli.operator import EXIT_BAD_CONFIGURATION, EXIT_REFUSED, JsonOption, fail, print_json
from analysis_worker.cli.queue import TypeArgument, read_input
from analysis_worker.cli.queue_access import access, show_table
from analysis_worker.settings import OperatorSettings, Settings


def run_journey(
    type: TypeArgument,
    input: Annotated[Path | None, typer.Option(help="A file with the input as JSON; - for standard input.")] = None,
    email: Annotated[
        str | None,
        typer.Option(help="Sign in as this user, with the password from standard input; else as a new one."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, max=3600, help="Seconds for the job to end.")] = 60,
    json: JsonOption = False,
) -> None:
    """Run one job as a user of the app does, and say how each step went: after a deployment, before a rollout.

    Makes a user (or signs in as --email), cancels a job that is not due yet and hears of it over Realtime, enqueues
    another over the API and over the gateway where that is deployed, watches it to its end and reads its result. At
    last jobs and user are deleted, whatever happened. Needs SUPABASE_PUBLISHABLE_KEY (or SUPABASE_ANON_KEY) besides
    the service key.

    Exit codes: 0 all went well, 1 a step failed, 2 bad configuration or arguments.
    """
    document = read_input(input)
    key = OperatorSettings().publishable_key
    if key is None:
        fail("SUPABASE_PUBLISHABLE_KEY: Field required", EXIT_BAD_CONFIGURATION)
    with access() as opened:
        login = None if email is None else Login(email, _read_password())
        journey = Journey(
            Settings().supabase_url, key.get_secret_value(), opened.records, type, document, timeout, login
        )
        went_well = anyio.run(journey.travel)
    if json:
        print_json({"passed": went_well, "steps": [asdict(step) for step in journey.steps]})
    else:
        show_table(
            ("step", "verdict", "ms ", "detail"),
            [(step.name, step.verdict, step.ms, step.detail) for step in journey.steps],
        )
        typer.echo("passed" if went_well else "failed")
    if not went_well:
        raise typer.Exit(EXIT_REFUSED)


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")
