"""The database behind the REST layer: a pool of `authenticator` connections, and the schema cache kept fresh.

While the database is away there is no session, and every request is refused at once. A session ends when its
listening connection is lost and no new one is to be had; the next session comes with a new pool.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from loguru import logger
from psycopg import AsyncRawCursor
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from supabase_local.rest import errors
from supabase_local.rest.connection import Connection, Statement
from supabase_local.rest.plan import Plan
from supabase_local.rest.replies import Reply
from supabase_local.rest.request import Request
from supabase_local.rest.schema_cache import SchemaCache, load
from supabase_local.rest.statement import VERSION, Outcome

POOL_SIZE = 10  # PostgREST's default
POOL_TIMEOUT_S = 10.0
RECONNECT_EVERY_S = 0.5
CONNECT_TIMEOUT_S = 5
APPLICATION_NAME = f"PostgREST {VERSION}"
_OUTCOME = 2  # behind the beginning and the settings
_SET_LOCALLY = "select set_config(key, value, true) from json_each_text($1)"
_CONNECTION_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "cursor_factory": AsyncRawCursor,
    "application_name": APPLICATION_NAME,
    "connect_timeout": CONNECT_TIMEOUT_S,
}


@dataclass(slots=True)
class Session:
    """One stretch of time in which the database is there."""

    pool: AsyncConnectionPool[Connection]
    schema: SchemaCache


@dataclass(slots=True)
class Backend:
    url: str
    _session: Session | None = None
    _attempted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def schema(self) -> SchemaCache:
        return self._current.schema

    @property
    def _current(self) -> Session:
        if self._session is None:
            raise errors.no_schema()
        return self._session

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep a session for as long as the context lasts. Enters once the database was reached or found away."""
        keeper = asyncio.create_task(self._keep())
        try:
            await self._attempted.wait()
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            await self._end_session()

    async def run(self, request: Request, planned: Plan, settings: str) -> Reply:
        """Run one transaction: commit if an answer can be made of the outcome, roll back where it is refused.

        `settings` is a JSON object of all that is to be set locally, the role among it.
        """
        statements = [
            (planned.transaction.begin, ()),
            (_SET_LOCALLY, [settings]),
            (planned.transaction.sql, planned.transaction.values),
        ]
        if not request.restricts_outcome:
            statements.append(("commit", ()))
        try:
            async with self._current.pool.connection() as connection:
                reply = planned.judge(await _perform(connection, statements))
                await connection.commit()  # unless that is done
                return reply
        except PoolTimeout as error:
            raise errors.pool_exhausted() from error
        except PoolClosed as error:
            raise errors.no_schema() from error
        except psycopg.Error as error:
            raise errors.from_postgres(error, request.is_anonymous) from error

    async def _keep(self) -> None:
        while True:
            try:
                async with await self._connect() as listener:
                    await listener.execute(b"listen pgrst")
                    await self._begin_session()
                    self._attempted.set()
                    with suppress(psycopg.OperationalError):
                        await self._follow(listener)
            except psycopg.Error as error:
                if self._session is not None or not self._attempted.is_set():
                    logger.warning("the REST layer has no database: {}", error)
                await self._end_session()
                self._attempted.set()
                await asyncio.sleep(RECONNECT_EVERY_S)

    async def _follow(self, listener: Connection) -> None:
        """Reload the schema when told to. Ends, by an error, when the listening connection is lost."""
        async for notification in listener.notifies():
            if notification.payload in ("", "reload schema"):
                self._current.schema = await self._load_schema()

    async def _begin_session(self) -> None:
        schema = await self._load_schema()
        if self._session is not None:  # only the listener was lost: let the pool find out what else is broken
            self._session.schema = schema
            await self._session.pool.check()
            return
        pool = AsyncConnectionPool(
            self.url,
            connection_class=Connection,
            kwargs=_CONNECTION_OPTIONS,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=POOL_TIMEOUT_S,
            open=False,
        )
        await pool.open(wait=True, timeout=CONNECT_TIMEOUT_S)
        self._session = Session(pool, schema)

    async def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.pool.close()

    async def _load_schema(self) -> SchemaCache:
        async with await self._connect() as connection:
            return await load(connection)

    async def _connect(self) -> Connection:
        return await Connection.connect(self.url, **_CONNECTION_OPTIONS)


async def _perform(connection: Connection, statements: Sequence[Statement]) -> Outcome:
    if _has_news(connection):  # most likely the reason why it died, which a pipeline would not let through
        await connection.execute(b"select 1")
    results: list[PGresult] = []
    try:
        await connection.exchange(statements, results)
    except psycopg.OperationalError as error:
        if connection.closed and results:  # it had begun
            raise errors.lost_in_flight() from error
        raise
    transformer = Transformer(connection)
    transformer.set_pgresult(results[_OUTCOME])
    return transformer.load_row(0, lambda row: Outcome(*row))


def _has_news(connection: Connection) -> bool:
    """Whether the server sent something without being asked."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))
