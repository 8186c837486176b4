"""All commands. Packages add their own through the entry point group `analysis_worker.commands`.

A command is imported when it is called or described, and not before: a plugin that is broken breaks itself alone, and
`analysis-worker run` waits for nothing that it does not use.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import typer
import typer.main
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer.core import TyperCommand

COMMAND_GROUP = "analysis_worker.commands"
EXIT_BROKEN = 2

_PACKAGE = "analysis_worker.cli"
# Where our commands are: module or module:name. A command is a function or a Typer app, of its own name (underscores
# for hyphens) unless said.
_OWN = {
    "run": "run",
    "init": "init",
    "setup-db": "maintenance",
    "deploy": "deploy",
    "doctor": "doctor",
    "health": "health",
    "alerts": "alerts",
    "test-enqueue": "queue:enqueue_test",
    "load-test": "load_test",
    "test-e2e": "e2e:run_journey",
    "metrics": "queue",
    "dashboard": "dashboard",
    "local": "local",
}
# Those of operators, which share what their exit codes mean.
_OPERATIONS = {
    "queue-stats": "queue",
    "logs": "logs",
    "jobs": "jobs",
    "job": "jobs",
    "retry": "jobs",
    "cancel": "jobs",
    "replay": "jobs",
    "pause": "queue",
    "resume": "queue",
    "prune": "maintenance",
    "delete-user": "maintenance",
    "flags": "flags",
    "enable": "flags",
    "disable": "flags",
    "rollout": "flags",
    "rollback": "flags",
}
_MODULES = _OWN | _OPERATIONS


class Commands(TyperGroup):
    """Our own commands and those of plugins, by name. Where both have one, ours counts."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        del ctx
        plugins = (plugin.name for plugin in entry_points(group=COMMAND_GROUP))
        return [*_MODULES, *sorted(set(plugins) - set(_MODULES))]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | TyperGroup | None:  # type: ignore[override]
        del ctx
        if cmd_name in _MODULES:
            return _own(cmd_name)
        for plugin in entry_points(group=COMMAND_GROUP, name=cmd_name):
            try:
                return _as_command(cmd_name, plugin.load())
            except Exception as error:  # noqa: BLE001 - the border between the engine and other people's code
                return _broken(cmd_name, f"{plugin.value} cannot be loaded: {type(error).__name__}: {error}")
        return None


def build() -> typer.Typer:
    cli = typer.Typer(
        cls=Commands,
        name="analysis-worker",
        help="A job worker for Supabase: woken by Realtime, claimed in SQL, fenced by leases.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    cli.callback()(_nothing_first)
    return cli


def _nothing_first() -> None:
    """A Typer app without a command of its own needs a callback."""


def _own(name: str) -> TyperCommand | TyperGroup:
    module, _, attribute = _MODULES[name].partition(":")
    command = getattr(import_module(f"{_PACKAGE}.{module}"), attribute or name.replace("-", "_"))
    epilog = import_module(f"{_PACKAGE}.operator").EXIT_CODES if name in _OPERATIONS else None
    return _as_command(name, command, epilog)


def _as_command(
    name: str, command: Callable[..., Any] | typer.Typer, epilog: str | None = None
) -> TyperCommand | TyperGroup:
    if not isinstance(command, typer.Typer):
        function, command = command, typer.Typer(add_completion=False)
        command.command(name, epilog=epilog)(function)
    built: Any = typer.main.get_command(command)
    built.name = name
    return built  # type: ignore[no-any-return]


def _broken(name: str, problem: str) -> TyperCommand | TyperGroup:
    def fail() -> None:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(EXIT_BROKEN)

    fail.__doc__ = f"Broken: {problem}"
    command = typer.Typer(add_completion=False)
    whatever = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    command.command(name, context_settings=whatever)(fail)
    built: Any = typer.main.get_command(command)
    return built  # type: ignore[no-any-return]
