"""Every command with its arguments, options and exit codes, from the program itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer.main

from analysis_worker.cli.commands import build
from docs._reference.markdown import block, code, prose, table

PROGRAM = "analysis-worker"
# Commands that hand their arguments to another program, whose own command says which there are.
_PASSED_ON = {("local", name): ("supabase_local.__main__", name) for name in ("start", "stop", "status")}


def describe_commands() -> str:
    return "\n\n".join(_describe(path, command) for path, command in commands())


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that does something, by its words behind the program's name."""
    yield from _commands_of((), typer.main.get_command(build()))


def _commands_of(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(command, typer.core.TyperGroup):
        yield path, _own_command(path) or command
        return
    context = typer.Context(command, info_name=path[-1] if path else PROGRAM)
    for name in command.list_commands(context):
        yield from _commands_of((*path, name), command.get_command(context, name))


def _own_command(path: tuple[str, ...]) -> Any:
    if path not in _PASSED_ON:
        return None
    module, name = _PASSED_ON[path]
    group = typer.main.get_command(__import__(module, fromlist=["app"]).app)
    assert isinstance(group, typer.core.TyperGroup)
    return group.get_command(typer.Context(group), name)


def _describe(path: tuple[str, ...], command: Any) -> str:
    words = " ".join(path)
    parameters = [parameter for parameter in command.params if parameter.name != "help"]
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    usage = " ".join((PROGRAM, words, "[OPTIONS]" if parameters != arguments else "", *map(_metavar, arguments)))
    parts = [f"## {words}", block("text", " ".join(usage.split())), prose(inspect.cleandoc(command.help or ""))]
    if parameters:
        parts.append(table(("option", "meaning", "default"), (_row(parameter) for parameter in parameters)))
    if command.epilog:
        parts.append(prose(command.epilog))
    return "\n\n".join(parts)


def _row(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        return code(_metavar(parameter)), prose(parameter.help or ""), ""
    names = ", ".join((*parameter.opts, *parameter.secondary_opts))
    default = "required" if parameter.required else _default(parameter.default)
    return code(names), prose(parameter.help or ""), default


def _default(value: object) -> str:
    return "" if value is None or isinstance(value, bool) or callable(value) else code(str(value))


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()
