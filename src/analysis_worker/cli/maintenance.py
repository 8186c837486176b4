"""`analysis-worker prune`, `delete-user`, `setup-db`: what is kept, for how long, and where."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from analysis_worker.cli.operator import (
    EXIT_BAD_CONFIGURATION,
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    JsonOption,
    fail,
    operations,
    print_json,
)
from analysis_worker.cli.queue_access import Access, access
from analysis_worker.errors import StoreUnavailableError
from analysis_worker.migrations import migrations_directory

_COUNTED = ("completed", "failed", "cancelled", "results")
_ERASED = ("jobs", "attempts", "keys", "results")
_BY_CLI = """\
The migrations are in {directory}.

With the Supabase CLI, in the directory of your project:
    cp {directory}/*.sql supabase/migrations/
    supabase db push --linked                    # or: --remote=postgresql://postgres:...@db.<ref>.supabase.co:5432/postgres

Without it:
    analysis-worker setup-db --db-url postgresql://...    # or `--db-url -`, to read the URL from standard input
"""


def prune(
    max_jobs: Annotated[int, typer.Option(min=1, max=100000, help="Jobs to delete at a time.")] = 1000,
    json: JsonOption = False,
) -> None:
    """Delete jobs and cached results that their type's policy keeps no longer, until none is left."""
    total: Counter[str] = Counter()
    with operations() as opened:
        more = True
        while more:
            answer = opened.call("prune_jobs", {"max_jobs": max_jobs})
            total.update({name: answer[name] for name in _COUNTED})
            more = answer["more"]
    _tell({name: total[name] for name in _COUNTED}, "deleted", json)


def delete_user(
    user_id: Annotated[UUID, typer.Argument(metavar="ID", help="The user's id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Delete all that is known of a user's jobs, and their files: for good.

    Without --yes somebody at a terminal has to confirm. The user's account stays; delete it afterwards.
    """
    if not yes and not (
        sys.stdin.isatty() and typer.confirm(f"Delete all jobs and files of {user_id} for good?", err=True)
    ):
        fail("nothing was deleted; --yes does it without asking", EXIT_REFUSED)
    total: Counter[str] = Counter()
    with access() as opened:
        more = True
        while more:
            answer = opened.operations.call("delete_user_data", {"user_id": str(user_id)})
            total.update({name: answer[name] for name in _ERASED})
            total["files"] += _delete_files(opened, answer["objects"])
            more = answer["more"]
    _tell({name: total[name] for name in (*_ERASED, "files")}, "deleted", json)


def _delete_files(opened: Access, objects: list[dict[str, str]]) -> int:
    by_bucket: defaultdict[str, list[str]] = defaultdict(list)
    for stored in objects:
        by_bucket[stored["bucket"]].append(stored["name"])
    return sum(opened.records.delete_objects(bucket, names) for bucket, names in by_bucket.items())


def setup_db(
    db_url: Annotated[
        str | None, typer.Option(help="postgresql://..., as the role postgres; - reads it from standard input.")
    ] = None,
    migrations: Annotated[
        Path | None, typer.Option(help="The directory with the migrations; else those of this package.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Bring the queue's tables and functions into a database; without a URL, say how with the Supabase CLI.

    What is there already stays; the record of it is the Supabase CLI's own.

    Exit codes: 0 all there, 1 a migration failed and those before it stay, 2 bad arguments or no psycopg, 3 no answer.
    """
    files = sorted((migrations or migrations_directory()).glob("*.sql"))
    if not files:
        fail(f"{migrations}: no migrations are there", EXIT_BAD_CONFIGURATION)
    if db_url is None:
        _tell_how(json)
        return
    if importlib.util.find_spec("psycopg") is None:
        fail("psycopg is not installed: pip install 'analysis-worker[postgres]'", EXIT_BAD_CONFIGURATION)
    from analysis_worker.adapters.migrating import MigrationFailedError, apply_migrations  # noqa: PLC0415 - an extra

    try:
        applied = apply_migrations(sys.stdin.readline().strip() if db_url == "-" else db_url, files)
    except MigrationFailedError as error:
        fail(str(error), EXIT_REFUSED)
    except StoreUnavailableError as error:
        fail(f"the database does not answer: {error}", EXIT_UNREACHABLE)
    if json:
        print_json({"applied": applied, "known": len(files)})
    else:
        typer.echo("\n".join([*applied, f"{len(applied)} applied, {len(files) - len(applied)} were there"]))


def _tell_how(json: bool) -> None:
    directory = migrations_directory()
    if json:
        print_json({"migrations": str(directory)})
    else:
        typer.echo(_BY_CLI.format(directory=directory), nl=False)


def _tell(counts: dict[str, Any], done: str, json: bool) -> None:
    if json:
        print_json(counts)
    else:
        typer.echo(f"{done}: {', '.join(f'{number} {name}' for name, number in counts.items())}")
