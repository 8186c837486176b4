"""The one reader of the database's changes: a replication stream in, deliveries to subscriptions and topics out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace

import psycopg
from psycopg import AsyncConnection

from supabase_local.realtime.broadcasts import Broadcasts, is_message
from supabase_local.realtime.catalogue import MESSAGES_PUBLICATION, PUBLICATION, Published, published_tables
from supabase_local.realtime.connections import open_connection
from supabase_local.realtime.delivery import Subscription, distribute
from supabase_local.realtime.pgoutput import DecodeError
from supabase_local.realtime.replication import ReplicationStream, Transaction, open_stream

_BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_log = logging.getLogger(__name__)


class Feed:
    """Subscriptions by the channel that holds them. `streaming` is set while changes flow."""

    def __init__(self, database_url: str, publication_check_s: float, changes_every_s: float) -> None:
        self.database_url = database_url
        self.broadcasts = Broadcasts()
        self.streaming = asyncio.Event()
        self._publication_check_s = publication_check_s
        self._changes_every_s = changes_every_s
        self._subscriptions: dict[object, Subscription] = {}
        self._watchers: dict[object, Callable[[], None]] = {}
        self._unseen: list[Transaction] = []

    def subscribe(self, channel: object, subscription: Subscription, on_publication_change: Callable[[], None]) -> None:
        """Start, or replace what the channel had."""
        self._subscriptions[channel] = subscription
        self._watchers[channel] = on_publication_change

    def unsubscribe(self, channel: object) -> None:
        self._subscriptions.pop(channel, None)
        self._watchers.pop(channel, None)

    async def run(self) -> None:
        """Stream until cancelled. A lost database is sought again; what was committed meanwhile is lost to clients."""
        failures = 0
        while True:
            try:
                await self._stream()
            except* (psycopg.Error, DecodeError, OSError) as group:
                failures = 0 if self.streaming.is_set() else failures + 1
                _log.warning("no changes from the database: %s", group.exceptions[0])
            except* Exception:  # noqa: BLE001 - a server must not go deaf over one change
                _log.exception("the reader of changes failed; it starts again")
            finally:
                self.streaming.clear()
            await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])

    async def _stream(self) -> None:
        slot = f"supabase_local_realtime_{secrets.token_hex(6)}"
        async with (
            await open_connection(self.database_url) as connection,
            open_stream(self.database_url, [PUBLICATION, MESSAGES_PUBLICATION], slot) as stream,
        ):
            self.streaming.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(stream, connection))
                if self._changes_every_s:
                    tasks.create_task(self._look(connection))

    async def _read(self, stream: ReplicationStream, connection: AsyncConnection) -> None:
        """Broadcasts go out at once; changes too, unless they are looked for only every so often."""
        self._unseen.clear()
        async for transaction in stream.transactions():
            for message in filter(is_message, transaction.changes):
                self.broadcasts.send_recorded(message)
            if rows := [change for change in transaction.changes if not is_message(change)]:
                self._unseen.append(replace(transaction, changes=rows))
            if not self._changes_every_s:
                await self._distribute(connection)

    async def _look(self, connection: AsyncConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._changes_every_s - loop.time() % self._changes_every_s)
            await self._distribute(connection)

    async def _distribute(self, connection: AsyncConnection) -> None:
        """All that is new, to those who have subscribed by now."""
        transactions, self._unseen = self._unseen, []
        await distribute(connection, transactions, list(self._subscriptions.values()))

    async def watch_publication(self) -> None:
        """Until cancelled: tell every channel when the publication's tables have changed."""
        known: Published | None = None
        while True:
            await self.streaming.wait()
            try:
                async with await open_connection(self.database_url) as connection:
                    found = await published_tables(connection)
            except psycopg.Error as error:
                _log.warning("publication not checked: %s", error)
            else:
                if known not in {None, found}:
                    for notify in list(self._watchers.values()):
                        notify()
                known = found
            await asyncio.sleep(self._publication_check_s)
