"""`python -m supabase_local`: a Supabase project on this machine, without Docker."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from supabase_local.background import start_in_background, stop_in_background
from supabase_local.database import MigrationError
from supabase_local.directory import RunningStack, StackDirectory, StackError, to_json
from supabase_local.postgres import PostgresError
from supabase_local.server import StackOptions
from supabase_local.settings import LocalSettings

_EXIT_CODES = "Exit codes: 0 done; 1 failed, the reason is on standard error; 2 wrong usage; 3 status: not running."
_FAILED, _NOT_RUNNING, _INTERRUPTED = 1, 3, 130

app = typer.Typer(help=__doc__, epilog=_EXIT_CODES, no_args_is_help=True, pretty_exceptions_enable=False)

Directory = Annotated[Path | None, typer.Option(help="Where the stack keeps its data.", file_okay=False)]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Of the gateway; a free one by default.")]
Migrations = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Applied at the start; ./supabase/migrations if it exists."),
]
Functions = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Edge Functions; ./supabase/functions if it exists."),
]
FunctionsEnv = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="What they find in their environment, as KEY=VALUE lines."),
]
Durable = Annotated[bool, typer.Option("--durable", help="Survive a power cut; slower.")]
PostgresBin = Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Other PostgreSQL binaries.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command(epilog=_EXIT_CODES)
def start(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    directory: Directory = None,
    port: Port = None,
    migrations: Migrations = None,
    functions: Functions = None,
    functions_env: FunctionsEnv = None,
    durable: Durable = False,
    postgres_bin: PostgresBin = None,
    json: Json = False,
) -> None:
    """Start a stack in the background and print its variables; one that runs already only shows them."""
    options = _completed(
        StackOptions(
            _chosen(directory),
            port,
            migrations,
            durable,
            postgres_bin,
            functions=functions,
            functions_env=functions_env,
        )
    )
    with _errors_said():
        stack = StackDirectory(options.directory).running()
        if stack is not None:
            typer.echo(f"already running in {options.directory}", err=True)
        else:
            stack = start_in_background(options)
    _show(stack, json)


@app.command(epilog=_EXIT_CODES)
def stop(directory: Directory = None) -> None:
    """Stop the stack; its data stays for the next start."""
    options = _completed(StackOptions(_chosen(directory)))
    with _errors_said():
        stopped = stop_in_background(options)
    typer.echo("stopped" if stopped else f"not running in {options.directory}", err=True)


@app.command(epilog=_EXIT_CODES)
def status(directory: Directory = None, json: Json = False) -> None:
    """Print the variables of a running stack."""
    options = _completed(StackOptions(_chosen(directory)))
    stack = StackDirectory(options.directory).running()
    if stack is None:
        typer.echo(f"not running in {options.directory}", err=True)
        raise typer.Exit(_NOT_RUNNING)
    _show(stack, json)


@app.command(epilog=_EXIT_CODES)
def serve(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    directory: Directory = None,
    port: Port = None,
    migrations: Migrations = None,
    functions: Functions = None,
    functions_env: FunctionsEnv = None,
    durable: Durable = False,
    postgres_bin: PostgresBin = None,
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="Stop when standard input ends, as when its writer dies.")
    ] = False,
    faults: Annotated[bool, typer.Option("--faults", hidden=True)] = False,
) -> None:
    """Run a stack here until Ctrl-C; without --directory in a temporary one. Prints one line of JSON when ready."""
    from supabase_local.serving import serve as serve_stack  # noqa: PLC0415 - slow, and no other command needs it

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    keep = directory is not None
    options = _completed(
        StackOptions(
            _chosen(directory), port, migrations, durable, postgres_bin, keep, faults, functions, functions_env
        )
    )
    with _errors_said():
        asyncio.run(serve_stack(options, until_stdin_closes))


def _chosen(directory: Path | None) -> Path:
    return directory or LocalSettings().directory


def _completed(options: StackOptions) -> StackOptions:
    settings = LocalSettings()
    return replace(
        options,
        migrations=options.migrations or _existing(settings.migrations),
        functions=options.functions or _existing(settings.functions),
        functions_env=options.functions_env or settings.functions_env,
        postgres_bin=options.postgres_bin or settings.postgres_bin,
    )


def _existing(directory: Path) -> Path | None:
    return directory if directory.is_dir() else None


def _show(stack: RunningStack, json: bool) -> None:
    if json:
        typer.echo(to_json(stack.variables))
        return
    for name, value in stack.variables.model_dump(by_alias=True).items():
        typer.echo(f'{name}="{value}"')


@contextmanager
def _errors_said() -> Iterator[None]:
    try:
        yield
    except (StackError, PostgresError, MigrationError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(_FAILED) from error
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


if __name__ == "__main__":
    app()
