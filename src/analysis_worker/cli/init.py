"""`analysis-worker init`: the queue, and a worker to begin with, for a Supabase project of one's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from analysis_worker.cli.operator import EXIT_BAD_CONFIGURATION, EXIT_REFUSED, JsonOption, fail, print_json
from analysis_worker.cli.project_files import (
    CONFIG,
    MIGRATIONS,
    SECRETS,
    ProjectFiles,
    SameVersionError,
    compare_files,
)

_NEXT = """\
Next:
  1. Fill in .env, and keep it out of the repository.
  2. supabase db push --linked --include-all      # or: analysis-worker setup-db --migrations {migrations} --db-url ...
  3. analysis-worker doctor --app worker.app:app
  4. analysis-worker run --app worker.app:app
  5. echo '{{"text": "hello"}}' | analysis-worker test-enqueue shout --input - --wait 30
"""


def init(
    directory: Annotated[Path, typer.Argument(help="The project: where the folder supabase is.")] = Path(),
    create: Annotated[bool, typer.Option("--create", help="Also where there is no Supabase project yet.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Write the queue's migrations into a Supabase project, and a small worker, a Dockerfile and .env beside them.

    Files that are there stay as they are. Run again after an upgrade of the package, it adds the new migrations.

    Exit codes: 0 all there, 1 refused at the prompt or a migration of yours has the same version, 2 no Supabase project
    or bad arguments.
    """
    if not create and not (directory / CONFIG).is_file():
        why = f"{directory / CONFIG} is not there: run `supabase init` first, or give --create"
        fail(why, EXIT_BAD_CONFIGURATION)
    try:
        files = compare_files(directory, datetime.now(UTC))
    except SameVersionError as error:
        fail(str(error), EXIT_REFUSED)
    if files.missing and not yes:
        _ask(directory, files)
    try:
        _write(directory, files.missing)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", EXIT_BAD_CONFIGURATION)
    if json:
        print_json(
            {
                "written": list(map(str, files.missing)),
                "there": list(map(str, files.there)),
                "differ": list(map(str, files.differ)),
            }
        )
    else:
        _tell(files)


def _ask(directory: Path, files: ProjectFiles) -> None:
    for path in files.missing:
        typer.echo(f"  {path}", err=True)
    if not sys.stdin.isatty() or not typer.confirm(
        f"Write these {len(files.missing)} files into {directory.resolve()}?", err=True
    ):
        fail("nothing was written; --yes does it without asking", EXIT_REFUSED)


def _write(directory: Path, files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        mode = 0o600 if path == SECRETS else 0o666
        # Fails where somebody else was quicker: nothing is ever overwritten.
        with os.fdopen(os.open(directory / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(text)


def _tell(files: ProjectFiles) -> None:
    for path in files.missing:
        typer.echo(f"written  {path}")
    for path in files.differ:
        typer.echo(f"kept     {path}, which is not as in this package")
    typer.echo(f"{len(files.missing)} written, {len(files.there) + len(files.differ)} were there\n")
    typer.echo(_NEXT.format(migrations=MIGRATIONS), nl=False)
