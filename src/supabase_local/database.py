"""Make a database look like a Supabase project: the platform's own objects, then the owner's migrations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import psycopg

_FILE_NAME = re.compile(r"(?P<version>\d+)_(?P<name>.*)\.sql")


class MigrationError(RuntimeError):
    """A migration file failed; the message names the file and the server's reason."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: str
    name: str
    sql: str


def bootstrap(superuser_url: str) -> None:
    """Create roles, schemas and platform tables. For an empty server only."""
    sql = resources.files(__package__).joinpath("bootstrap.sql").read_text()
    with psycopg.connect(superuser_url) as connection:
        connection.execute(sql.encode())


def read_migrations(directory: Path) -> list[Migration]:
    """All `<version>_<name>.sql` files, oldest first."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        if (match := _FILE_NAME.fullmatch(path.name)) is None:
            raise MigrationError(f"{path.name}: a migration is named <digits>_<name>.sql")
        found.append(Migration(match["version"], match["name"], path.read_text()))
    return found


def migrate(url: str, migrations: list[Migration]) -> list[str]:
    """Apply what is missing, each file in a transaction of its own; returns the versions applied.

    Keeps its record where the Supabase CLI keeps it, so that either can go on where the other stopped.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "create schema if not exists supabase_migrations;"
            "create table if not exists supabase_migrations.schema_migrations"
            " (version text not null primary key, statements text[], name text)"
        )
        rows = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
        done = {version for (version,) in rows}
        missing = [migration for migration in migrations if migration.version not in done]
        for migration in missing:
            _apply(connection, migration)
    return [migration.version for migration in missing]


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.sql.encode())
            connection.execute(
                "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)",
                (migration.version, [migration.sql], migration.name),
            )
    except psycopg.Error as error:
        raise MigrationError(f"{migration.version}_{migration.name}.sql: {error}") from error
