"""`realtime.messages` as its policies show it: who may read from and write to a private topic, and what was said."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, get_args

import psycopg
from psycopg import AsyncConnection, errors

from supabase_local.realtime.claims import JoinRefusedError, Viewer
from supabase_local.realtime.connections import open_connection
from supabase_local.realtime.joins import Replay
from supabase_local.realtime.protocol import TOPIC_PREFIX, Broadcast, compact

Extension = Literal["broadcast", "presence"]
_EXTENSIONS: tuple[Extension, ...] = get_args(Extension)
_INSERT = "insert into realtime.messages (topic, extension) values (%s, %s)"
_SELECT = "select extension from realtime.messages where id = any(%s)"
_ACT_AS = """
select set_config('role', %s, true), set_config('request.jwt.claims', %s, true), set_config('realtime.topic', %s, true),
    set_config('request.headers', '{}', true)
"""
_REPLAY = """
select id::text, event, payload from realtime.messages
where topic = %s and extension = 'broadcast' and private and inserted_at >= %s at time zone 'utc'
order by inserted_at desc
limit %s
"""
_log = logging.getLogger(__name__)


async def readable(database_url: str, topic: str, viewer: Viewer) -> frozenset[Extension]:
    """What the viewer's policies let through of a message of each kind. Raises JoinRefusedError where that is nothing.

    Asked with rows that are never committed, whose event, payload and privacy say nothing: as on the real server, a
    policy can go by the topic and the extension only.
    """
    found: frozenset[Extension] = frozenset()
    async with _connected(database_url) as db, db.transaction(force_rollback=True):
        rows = [await _insert(db, topic, extension) for extension in _EXTENSIONS]
        try:
            await db.execute(_ACT_AS, (viewer.role, viewer.claims_json, _name(topic)))
            cursor = await db.execute(_SELECT, (rows,))
            found = frozenset([extension for (extension,) in await cursor.fetchall()])
        except errors.OperationalError:
            raise
        except psycopg.Error as error:
            _log.warning("a select policy of realtime.messages failed for %s: %s", viewer.role, error)
    if not found:
        raise unauthorized(topic)
    return found


def unauthorized(topic: str) -> JoinRefusedError:
    message = f"You do not have permissions to read from this Channel topic: {_name(topic)}"
    return JoinRefusedError("Unauthorized", message)


async def may_write(database_url: str, topic: str, viewer: Viewer) -> bool:
    """Whether the viewer's policies let a broadcast in. Raises JoinRefusedError without a database."""
    async with _connected(database_url) as db, db.transaction(force_rollback=True):
        try:
            await db.execute(_ACT_AS, (viewer.role, viewer.claims_json, _name(topic)))
            await db.execute(_INSERT, (_name(topic), "broadcast"))
        except errors.OperationalError:
            raise
        except psycopg.Error as error:
            _log.info("no broadcast of %s to %s: %s", viewer.role, topic, error)
            return False
    return True


async def recorded(database_url: str, topic: str, replay: Replay) -> list[Broadcast]:
    """The last messages on a private topic, oldest first, as the real server writes them: keys sorted, no spaces."""
    async with _connected(database_url) as db:
        cursor = await db.execute(_REPLAY, (_name(topic), replay.since, replay.limit))
        found = await cursor.fetchall()
    return [
        Broadcast(topic, event, message_id, compact(payload, sort_keys=True), replayed=True)
        for message_id, event, payload in reversed(found)
    ]


async def _insert(db: AsyncConnection, topic: str, extension: Extension) -> object:
    cursor = await db.execute(f"{_INSERT} returning id", (_name(topic), extension))
    row = await cursor.fetchone()
    return row and row[0]


def _name(topic: str) -> str:
    return topic.removeprefix(TOPIC_PREFIX)


@asynccontextmanager
async def _connected(database_url: str) -> AsyncIterator[AsyncConnection]:
    try:
        async with await open_connection(database_url) as db:
            yield db
    except psycopg.OperationalError as error:
        message = "Realtime was unable to connect to the project database"
        raise JoinRefusedError("UnableToConnectToProject", message) from error
