"""The one PostgreSQL server of a run: durable, with a database for each trial and counters for what it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from supabase_local.postgres import SUPERUSER, PostgresServer
from supabase_local.temporary import running_server

SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
DROP_S = 10
SHOWN = ("fsync", "synchronous_commit", "full_page_writes", "wal_level", "max_connections", "autovacuum", *SETTINGS)


@dataclass(frozen=True, slots=True)
class Counters:
    """`statements` are those that clients of one database sent; `wal` is a place in the whole server's log."""

    statements: int
    wal: str


@dataclass(frozen=True, slots=True)
class Wal:
    """Bytes. `pages` are those of the whole pages that follow a checkpoint, whoever writes first."""

    records: float
    pages: float


@dataclass(frozen=True, slots=True)
class Server:
    postgres: PostgresServer
    databases: set[str] = field(default_factory=set)

    def url(self, database: str, user: str = SUPERUSER) -> str:
        return self.postgres.url(user, database)

    def has(self, database: str) -> bool:
        return database in self.databases

    def create(self, database: str, template: str) -> None:
        self._admin("create database {} template {} owner postgres", database, template)
        self.databases.add(database)

    @contextmanager
    def creating(self, database: str, template: str) -> Iterator[None]:
        """Whole or not at all."""
        self.create(database, template)
        try:
            yield
        except BaseException:
            self.drop(database)
            raise

    def drop(self, database: str) -> None:
        """Waits for the stream of changes of a gateway that was killed."""
        give_up_at = time.monotonic() + DROP_S
        while True:
            try:
                self._admin("drop database {} with (force)", database)
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.1)
            else:
                self.databases.discard(database)
                return

    def checkpoint(self) -> None:
        """So that no trial pays for what the one before it wrote."""
        self._admin("checkpoint")

    def execute(self, database: str, statement: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def number(self, database: str, query: str) -> int:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0

    def count(self, database: str) -> Counters:
        with self._counting() as connection:
            row = connection.execute(
                "select coalesce(sum(calls), 0)::bigint, pg_current_wal_flush_lsn()::text"
                " from pg_stat_statements join pg_database on pg_database.oid = dbid where datname = %s",
                [database],
            ).fetchone()
        assert row is not None
        return Counters(*row)

    def calls(self, database: str, function: str) -> int:
        """How often clients called a function of ours."""
        with self._counting() as connection:
            row = connection.execute(
                "select coalesce(sum(calls), 0)::bigint from pg_stat_statements"
                " join pg_database on pg_database.oid = dbid where datname = %s and query like %s",
                [database, f"%{function}%"],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def wal_between(self, before: Counters, after: Counters) -> Wal:
        with self._counting() as connection:
            row = connection.execute(
                "select coalesce(sum(record_size), 0)::float8, coalesce(sum(fpi_size), 0)::float8"
                " from pg_get_wal_stats(%s, %s)",
                [before.wal, after.wal],
            ).fetchone()
        assert row is not None
        return Wal(*row)

    def settings(self) -> dict[str, str]:
        with psycopg.connect(self.url("template1")) as connection:
            rows = connection.execute(
                "select name, current_setting(name) from pg_settings where name = any (%s) or name = 'server_version'"
                " order by name",
                [list(SHOWN)],
            ).fetchall()
        return dict(rows)

    def _counting(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url("counters"), autocommit=True)

    def _admin(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("template1"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def measuring_server() -> Iterator[Server]:
    with running_server(durable=True, settings=SETTINGS) as postgres:
        server = Server(postgres)
        server.create("counters", "template0")
        server.execute("counters", "create extension pg_stat_statements; create extension pg_walinspect")
        yield server
