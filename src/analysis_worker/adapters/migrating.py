"""Bring the queue's migrations into a database. Needs psycopg, which the extra `postgres` brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg

from analysis_worker.errors import AnalysisError, StoreUnavailableError

_CONNECT_SECONDS = 10


class MigrationFailedError(AnalysisError):
    """A file failed; it changed nothing, those before it stay. The message names it and the server's reason."""


def apply_migrations(url: str, files: Sequence[Path]) -> list[str]:
    """Apply what is missing, each file in a transaction of its own; the names of the files applied.

    The record is the Supabase CLI's, so that either can go on where the other stopped. Raises StoreUnavailableError and
    MigrationFailedError.
    """
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except psycopg.Error as error:
        raise StoreUnavailableError(str(error).strip().splitlines()[0]) from error
    with connection:
        try:
            applied = [file.name for file in files if _apply(connection, file)]
            if applied:
                connection.execute("notify pgrst, 'reload schema'")  # or the API does not know the functions yet
        except psycopg.OperationalError as error:
            raise StoreUnavailableError(str(error).strip()) from error
    return applied


def _apply(connection: psycopg.Connection[tuple[object, ...]], file: Path) -> bool:
    """Two who do this at once take turns at every file."""
    version, _, name = file.stem.partition("_")
    text = file.read_text()
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtextextended('analysis_worker.migrations', 0))")
            connection.execute(
                "create schema if not exists supabase_migrations;"
                "create table if not exists supabase_migrations.schema_migrations"
                " (version text not null primary key, statements text[], name text)"
            )
            found = connection.execute(
                "select from supabase_migrations.schema_migrations where version = %s", (version,)
            )
            if found.fetchone() is not None:
                return False
            connection.execute(text.encode())
            connection.execute(
                "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)",
                (version, [text], name),
            )
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise MigrationFailedError(f"{file.name}: {error}") from error
    return True
