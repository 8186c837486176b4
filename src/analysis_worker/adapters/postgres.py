"""The queue over connections to its database, for a worker that sits next to it. Needs the extra `postgres`.

Each call is one statement and, since connections commit by themselves, one transaction. Statements are prepared by name
and notifications need a session: this is for the database itself or a pooler in session mode, not in transaction mode.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from analysis_worker.adapters.sql_functions import SqlJobStore
from analysis_worker.errors import ConfigurationError, StoreRejectedError, StoreUnavailableError

_Connection: TypeAlias = psycopg.AsyncConnection[tuple[str]]

_CALL_SECONDS = 10.0
_CONNECT_SECONDS = 5
_STATEMENT_TIMEOUT = "set statement_timeout = '8s'"  # what nobody waits for any more must not hold locks
_CONNECTIONS = 4
_DEFAULTS: Mapping[str, Any] = {
    "application_name": "analysis-worker",
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_STATEMENTS: Mapping[str, psycopg.sql.SQL] = {
    function: psycopg.sql.SQL(statement)
    for function, statement in {
        "claim_job": "select coalesce(jsonb_agg(job), '[]')::text"
        " from public.claim_job(%(worker_id)s, %(lease_id)s, %(types)s, %(max_jobs)s) as job",
        "settle_jobs": "select public.settle_jobs(%(settlements)s)::text",
        "report_progress": "select"
        " public.report_progress(%(job_id)s, %(lease_id)s, %(progress)s, %(phase)s, %(partial)s)::text",
        "save_checkpoint": "select public.save_checkpoint(%(job_id)s, %(lease_id)s, %(data)s)::text",
        "heartbeat_worker": "select public.heartbeat_worker(%(worker_id)s, %(state)s, %(held)s)::text",
        "reconcile_jobs": "select public.reconcile_jobs()::text",
        "deregister_worker": "select public.deregister_worker(%(worker_id)s)::text",
    }.items()
}
CALLED: Collection[str] = _STATEMENTS.keys()
"""The functions that a worker calls."""
_JSON_ARGUMENTS = {"settlements", "data", "state", "held"}
# As PostgREST sorts them: data, constraints, syntax and names, limits, and what functions raise on purpose.
_REFUSALS = ("22", "23", "42", "54", "P0001", "PT4")
_NO_TEXT = "22021"
_ASK_AGAIN = {"42501", "PT401", "PT403", "PT408", "PT429"}


def read_database_url(url: str) -> str:
    """The connection string with what a worker needs besides. Raises ConfigurationError, which shows none of it."""
    try:
        parts = {**_DEFAULTS, **conninfo_to_dict(url)}
    except psycopg.Error:
        raise ConfigurationError("ANALYSIS_WORKER_DATABASE_URL: not a connection string of PostgreSQL") from None
    if _is_torn(parts):
        raise ConfigurationError("ANALYSIS_WORKER_DATABASE_URL: a sign in its password must be escaped, as %40 for @")
    return make_conninfo(**parts)


def _is_torn(parts: Mapping[str, Any]) -> bool:
    """Whether a piece of the password passes for something else, which error messages would show."""
    misread = any("@" in str(parts.get(name)) for name in ("host", "dbname"))
    return misread or not re.fullmatch(r"[\d,]*", str(parts.get("port", "")))


class PostgresJobStore(SqlJobStore):
    """One statement per function, on connections of a pool."""

    def __init__(self, pool: AsyncConnectionPool[_Connection]) -> None:
        self._pool = pool

    async def _ask(self, function: str, arguments: Mapping[str, Any]) -> str:
        """A connection whose call was given up is closed: the server may still be at it."""
        try:
            with anyio.fail_after(_CALL_SECONDS):
                return await self._execute(function, arguments)
        except (PoolTimeout, TimeoutError) as error:
            raise StoreUnavailableError(f"{function}: {type(error).__name__}") from error
        except UnicodeEncodeError as error:
            raise StoreRejectedError(_NO_TEXT, f"{function}: no text of PostgreSQL") from error
        except psycopg.Error as error:
            raise _failure(function, error) from error

    async def _execute(self, function: str, arguments: Mapping[str, Any]) -> str:
        connection = await self._pool.getconn()
        try:
            cursor = await connection.execute(_STATEMENTS[function], _adapted(arguments))
            row = await cursor.fetchone()
            return row[0] if row is not None else ""
        finally:
            with anyio.CancelScope(shield=True):  # the pool loses what is not returned
                if connection.broken:
                    await self._pool.drain()  # whatever broke this one broke the others
                await self._pool.putconn(connection)


@asynccontextmanager
async def open_job_store(conninfo: str) -> AsyncIterator[PostgresJobStore]:
    """`conninfo` is one of `read_database_url`. Connects when it is first asked, and again for as long as it takes."""

    async def configure(connection: _Connection) -> None:
        await connection.execute(_STATEMENT_TIMEOUT)

    async with AsyncConnectionPool(
        conninfo,
        connection_class=psycopg.AsyncConnection[tuple[str]],
        kwargs={"autocommit": True},
        configure=configure,
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_CONNECT_SECONDS,
        reconnect_timeout=_CONNECT_SECONDS,  # then the next call connects, and not a backoff of minutes
        open=False,
    ) as pool:
        yield PostgresJobStore(pool)


def _adapted(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Jsonb(value) if name in _JSON_ARGUMENTS and value is not None else value
        for name, value in arguments.items()
    }


def _failure(function: str, error: psycopg.Error) -> StoreRejectedError | StoreUnavailableError:
    """Psycopg itself refuses a NUL, without a code."""
    code = error.sqlstate or (_NO_TEXT if isinstance(error, psycopg.DataError) else "")
    if code.startswith(_REFUSALS) and code not in _ASK_AGAIN:
        return StoreRejectedError(code, f"{function}: {error.diag.message_primary or 'no text of PostgreSQL'}")
    return StoreUnavailableError(f"{function}: {type(error).__name__} {code}".rstrip())
