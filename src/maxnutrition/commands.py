"""The application's own commands: what it publishes of its job types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maxnutrition.job_types import JOB_TYPES
from maxnutrition.publishing import files_of, migration_of, table_of

EXIT_STALE = 1

contracts = typer.Typer(help="Job types, as clients, the database and readers are told of them.", no_args_is_help=True)
_Directory = Annotated[Path, typer.Argument(help="Where the contracts are, one JSON file per type.")]
_DEFAULT = Path("supabase/functions/_shared/contracts")


@contracts.command("export")
def export(directory: _Directory = _DEFAULT) -> None:
    """Write a JSON file per job type (schemas, examples, limits, what models are asked) and, beside their folder, the
    rules for replies (guard.json) and the table of foods (foods.json)."""
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in files_of(JOB_TYPES, directory).items():
        file.write_text(text, encoding="utf-8")
    typer.echo(f"{len(JOB_TYPES)} contracts in {directory}, guard.json and foods.json beside it")


@contracts.command("check")
def check(directory: _Directory = _DEFAULT) -> None:
    """Say which files are missing or not current. Exit codes: 0 all are current, 1 some are not."""
    stale = [
        file.stem
        for file, text in files_of(JOB_TYPES, directory).items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    for name in stale:
        typer.echo(f"not current: {name}", err=True)
    if stale:
        raise typer.Exit(EXIT_STALE)


@contracts.command("migration")
def migration() -> None:
    """Print a migration that brings the database's table of types to what the code says."""
    typer.echo(migration_of(JOB_TYPES), nl=False)


@contracts.command("table")
def table() -> None:
    """Print the table of job types in Markdown."""
    typer.echo(table_of(JOB_TYPES), nl=False)
