"""`analysis-worker local`: the stand-in stack, as a program of its own.

The stack is never imported here: it is a tool for this machine, and a worker in production does not carry it.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import typer

EXIT_NOT_INSTALLED = 2

local = typer.Typer(
    help="A Supabase stack on this machine, without Docker. `analysis-worker local start --help` for more.",
    no_args_is_help=True,
)
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@local.command("start", context_settings=_PASS_ON)
def start(context: typer.Context) -> None:
    """Start a stack in the background and print its variables."""
    _call("start", context)


@local.command("stop", context_settings=_PASS_ON)
def stop(context: typer.Context) -> None:
    """Stop the stack of a directory."""
    _call("stop", context)


@local.command("status", context_settings=_PASS_ON)
def status(context: typer.Context) -> None:
    """Print the variables of a running stack."""
    _call("status", context)


def _call(command: str, context: typer.Context) -> None:
    if importlib.util.find_spec("aiohttp") is None:
        typer.echo("error: the local stack is not installed: pip install 'analysis-worker[local]'", err=True)
        raise typer.Exit(EXIT_NOT_INSTALLED)
    arguments = [sys.executable, "-m", "supabase_local", command, *context.args]
    raise typer.Exit(subprocess.run(arguments, check=False).returncode)
