"""`analysis-worker local`: the stand-in stack, as a program of its own.

The stack is never imported here: it is a tool for this machine, and a worker in production does not carry it.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import typer

from analysis_worker.migrations import migrations_directory

EXIT_NOT_INSTALLED = 2

local = typer.Typer(
    help="A Supabase stack on this machine, without Docker. `analysis-worker local start --help` for more.",
    no_args_is_help=True,
)
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@local.command("start", context_settings=_PASS_ON)
def start(context: typer.Context) -> None:
    """Start a stack in the background and print its variables.

    With the migrations of ./supabase/migrations or, where there are none, with the queue's own.
    """
    own = [] if Path("supabase/migrations").is_dir() else ["--migrations", str(migrations_directory())]
    _call("start", context, *([] if "--migrations" in context.args else own))


@local.command("stop", context_settings=_PASS_ON)
def stop(context: typer.Context) -> None:
    """Stop the stack of a directory."""
    _call("stop", context)


@local.command("status", context_settings=_PASS_ON)
def status(context: typer.Context) -> None:
    """Print the variables of a running stack."""
    _call("status", context)


def _call(command: str, context: typer.Context, *more: str) -> None:
    if importlib.util.find_spec("aiohttp") is None:
        typer.echo("error: the local stack is not installed: pip install 'analysis-worker[local]'", err=True)
        raise typer.Exit(EXIT_NOT_INSTALLED)
    arguments = [sys.executable, "-m", "supabase_local", command, *more, *context.args]
    raise typer.Exit(subprocess.run(arguments, check=False).returncode)
