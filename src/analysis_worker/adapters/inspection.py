"""What a login next to the database is and may do, asked without changing anything. Needs the extra `postgres`."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from analysis_worker.adapters.postgres import CALLED
from analysis_worker.errors import StoreUnavailableError

_HEAR_SECONDS = 5.0
_LOGIN = """
select
    current_user::text as name,
    coalesce(pg_has_role(to_regrole('analysis_worker'), 'usage'), false) as is_worker,
    (
        select coalesce(array_agg(role.rolname::text order by role.rolname), '{}')
        from pg_catalog.pg_roles as role
        where (role.rolsuper or role.rolbypassrls) and pg_has_role(role.oid, 'member')
    ) as powers,
    (
        select coalesce(array_agg(relname::text order by relname), '{}')
        from pg_catalog.pg_class
        where relnamespace = to_regnamespace('public') and relname like 'analysis\\_%%' and relkind = 'r'
            and has_table_privilege(oid, 'select')
    ) as readable,
    (
        select coalesce(array_agg(called.name order by called.name), '{}')
        from unnest(%s::text[]) as called (name)
        where not coalesce((
            select bool_and(has_schema_privilege(pronamespace, 'usage') and has_function_privilege(oid, 'execute'))
            from pg_catalog.pg_proc
            where proname = called.name
                and pronamespace in (to_regnamespace('public'), to_regnamespace('private'))
        ), false)
    ) as missing
"""
_KNOWS = "select public.report_progress(%s, %s) ->> 'status' is not null"


@dataclass(frozen=True, slots=True)
class Login:
    """`is_worker` tells whether it has the rights of the role analysis_worker, `powers` which roles it may be that pass
    row level security, `readable` which of the queue's tables it may read whole, `missing` which functions of a worker
    are not there or closed to it."""

    name: str
    is_worker: bool
    powers: Collection[str]
    readable: Collection[str]
    missing: Collection[str]


class Inspection:
    def __init__(self, conninfo: str, connection: psycopg.AsyncConnection[Any]) -> None:
        self._conninfo = conninfo
        self._connection = connection

    async def describe_login(self) -> Login:
        async with self._connection.cursor(row_factory=class_row(Login)) as cursor:
            await cursor.execute(_LOGIN, (sorted(CALLED),))
            found = await cursor.fetchone()
        assert found is not None, "a select without from has one row"
        return found

    async def hears(self) -> bool:
        """Whether a notification comes that another connection sends: a session is ours while we do nothing in it."""
        channel = f"analysis_doctor_{secrets.token_hex(8)}"
        await self._connection.execute(SQL("listen {}").format(Identifier(channel)))
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as other:
            await other.execute("select pg_notify(%s, '')", (channel,))
            heard = [notice async for notice in self._connection.notifies(timeout=_HEAR_SECONDS, stop_after=1)]
        await self._connection.execute("unlisten *")  # a pooler would leave it to the next
        return bool(heard)

    async def knows(self, job_id: UUID) -> bool:
        """Whether this job is in its queue. Asked under a lease that nobody has, so nothing is written."""
        cursor = await self._connection.execute(_KNOWS, (job_id, uuid4()))
        return await cursor.fetchone() == (True,)


@asynccontextmanager
async def open_inspection(conninfo: str) -> AsyncIterator[Inspection]:
    """`conninfo` is one of `read_database_url`. Raises StoreUnavailableError, also where one of its calls fails."""
    try:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            yield Inspection(conninfo, connection)
    except psycopg.Error as error:
        raise StoreUnavailableError((str(error).strip() or type(error).__name__).splitlines()[0]) from error
