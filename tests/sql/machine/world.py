"""The database that the machine plays with, and the hand that moves its clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from supabase_local.postgres import SUPERUSER
from tests.databases import Databases
from tests.sql.factories import Session
from tests.sql.machine.sessions import Caller, Callers

SESSIONS = 4
WORKERS = ("w1", "w2", "w3")
USERS = (str(UUID(int=1)), str(UUID(int=2)), None)
"""Two people, and a service that enqueues for itself."""
LIMITS: dict[str, tuple[int | None, int | None]] = {"free": (None, None), "few": (2, None), "each": (None, 1)}
"""Job types: concurrency in total, and per user."""
_TABLES = "select array_agg(relname::text) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
_TIMES = """
select array_agg(column_name::text) from information_schema.columns
where table_schema = 'public' and table_name = %s and data_type = 'timestamp with time zone'
"""


@dataclass(slots=True)
class World:
    """`owner` may do everything, and what it does fires no trigger."""

    owner: Session
    callers: Callers
    has_replay: bool
    _clocks: dict[str, list[str]] = field(default_factory=dict)
    """Tables that hold jobs, and their columns that are times."""

    def empty(self) -> None:
        """Back to the start, which is the same each time, jitter included."""
        for caller in self.callers.members:
            caller.connection.execute("select setseed(0.5)")
            caller.connection.commit()
        deletes = [sql.SQL("delete from {}").format(_public(table)) for table in self._clocks]
        self.owner.execute(sql.SQL("; ").join(deletes))

    def pass_time(self, seconds: int) -> None:
        """Everything has happened so much earlier. Nothing may be open."""
        for table, columns in self._clocks.items():
            shifts = [
                sql.SQL("{0} = {0} - make_interval(secs => {1})").format(sql.Identifier(name), sql.Literal(seconds))
                for name in columns
            ]
            self.owner.execute(sql.SQL("update {} set {}").format(_public(table), sql.SQL(", ").join(shifts)))

    def later(self, seconds: int) -> datetime:
        """So far ahead on the database's clock."""
        moment: datetime = _value(self.owner, "select now() + make_interval(secs => %s)", seconds)
        return moment

    def silence(self, worker: str) -> None:
        """As if the worker had died an hour ago, unless it is just being written to."""
        self.owner.execute(
            "update public.analysis_workers set heartbeat_at = heartbeat_at - interval '1 hour' where id = any (array("
            "select id from public.analysis_workers where id = %s for update skip locked))",
            [worker],
        )

    def expire(self, job_id: str) -> None:
        """As if the running attempt had started an hour ago, unless it is just being written to."""
        self.owner.execute(
            "update public.analysis_jobs set deadline_at = deadline_at - interval '1 hour' where id = any (array("
            "select id from public.analysis_jobs where id = %s for update skip locked))",
            [job_id],
        )


@contextmanager
def opened_world(databases: Databases, name: str) -> Iterator[World]:
    """The world of this database, which has our migrations and nothing else."""
    with psycopg.connect(databases.url(name, SUPERUSER), autocommit=True) as owner:
        # Who waits for a lock in a circle is to be found before anybody takes it for waiting its turn.
        owner.execute(sql.SQL("alter database {} set deadlock_timeout = '5ms'").format(sql.Identifier(name)))
        owner.execute("set session_replication_role = replica")
        owner.execute("insert into auth.users (id) values (%s), (%s)", USERS[:2])
        for kind, (total, of_one_user) in LIMITS.items():
            owner.execute(
                "insert into public.analysis_types (type, concurrency, concurrency_per_user, max_rescues)"
                " values (%s, %s, %s, 1)",
                [kind, total, of_one_user],
            )
        members = [Caller(psycopg.connect(databases.url(name, "authenticator"))) for _ in range(SESSIONS)]
        callers = Callers(owner, members)
        tables = [table for table in _value(owner, _TABLES) if table.startswith("analysis_")]
        kept = {"analysis_types", "analysis_flags", "analysis_health", "analysis_health_settings"}
        clocks = {table: _value(owner, _TIMES, table) or [] for table in tables if table not in kept}
        has_replay = _value(owner, "select to_regproc('public.replay_job') is not null")
        try:
            yield World(owner, callers, has_replay, clocks)
        finally:
            callers.abort()
            callers.close()


def _public(table: str) -> sql.Identifier:
    return sql.Identifier("public", table)


def _value(session: Session, query: str, *arguments: Any) -> Any:
    row = session.execute(query, arguments).fetchone()
    assert row is not None
    return row[0]
