"""One PostgreSQL server for a whole test run; a database of its own for whoever asks."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from supabase_local.database import migrate, read_migrations
from supabase_local.postgres import SUPERUSER, PostgresServer
from supabase_local.temporary import running_server

ROOT = Path(__file__).parents[1]
MIGRATIONS = ROOT / "supabase" / "migrations"
SHARED = ROOT.parent / "shared"


@dataclass(slots=True)
class Databases:
    """Databases made by copying a template: `platform` (Supabase's own objects) or `migrated` (ours on top)."""

    server: PostgresServer
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str, user: str = "postgres") -> str:
        return self.server.url(user, database)

    def copy(self, template: str) -> str:
        """The name of a new database, a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self._as_superuser("create database {} template {} owner postgres", name, template)
        return name

    def drop(self, name: str) -> None:
        self._as_superuser("drop database {} with (force)", name)

    @contextmanager
    def copied(self, template: str) -> Iterator[str]:
        name = self.copy(template)
        try:
            yield name
        finally:
            self.drop(name)

    def _as_superuser(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server.url(SUPERUSER, "template1"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running_databases() -> Iterator[Databases]:
    """A throw-away server with the two templates; `ANALYSIS_TEST_POSTGRES_BIN` may name other binaries."""
    bin_dir = os.environ.get("ANALYSIS_TEST_POSTGRES_BIN")
    with running_server(bin_dir=Path(bin_dir) if bin_dir else None) as server:
        databases = Databases(server)
        databases._as_superuser("create database {} template {} owner postgres", "platform", "postgres")
        databases._as_superuser("create database {} template {} owner postgres", "migrated", "platform")
        migrate(databases.url("migrated"), read_migrations(MIGRATIONS))
        yield databases


def as_worker(url: str) -> str:
    """`url` for a login of its own with the rights of a worker, as docs/deployment.md makes it."""
    login, password = "nutrition_worker", "of-the-worker"
    with psycopg.connect(url, autocommit=True) as owner:
        if not owner.execute("select from pg_roles where rolname = %s", (login,)).fetchall():
            statement = sql.SQL("create role {} login password {} in role analysis_worker")
            owner.execute(statement.format(sql.Identifier(login), sql.Literal(password)))
    return make_conninfo(url, user=login, password=password)
