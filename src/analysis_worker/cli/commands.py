"""All commands. Packages add their own through the entry point group `analysis_worker.commands`."""

from __future__ import annotations

from importlib.metadata import entry_points

import typer

from analysis_worker.cli import flags, local, operator, run

COMMAND_GROUP = "analysis_worker.commands"


def build() -> typer.Typer:
    cli = typer.Typer(
        name="analysis-worker",
        help="A job worker for Supabase: woken by Realtime, claimed in SQL, fenced by leases.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    cli.command("run")(run.run)
    cli.add_typer(local.local, name="local")
    for operation in flags.COMMANDS:
        cli.command(operation.__name__, epilog=operator.EXIT_CODES)(operation)
    for command in entry_points(group=COMMAND_GROUP):
        cli.command(command.name)(command.load())
    return cli
