"""Logical replication over psycopg's raw libpq connection: a temporary slot, read as a stream of transactions."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import pq, sql
from psycopg.pq.abc import PGconn

from supabase_local.realtime.connections import open_connection
from supabase_local.realtime.pgoutput import Begin, Change, Commit, Decoder

_CONFIRM_EVERY_S = 10.0
_STOP_WITHIN_S = 2.0
_EPOCH_OFFSET_US = 946_684_800_000_000  # from 1970 to 2000, where the protocol's clock starts
_WAL_HEADER = struct.Struct("!cQQq")
_KEEPALIVE = struct.Struct("!cQqB")
_STATUS = struct.Struct("!cQQQqB")


@dataclass(frozen=True, slots=True)
class Transaction:
    xid: int
    committed_at: datetime
    changes: list[Change]


@asynccontextmanager
async def open_stream(url: str, publications: Sequence[str], slot: str) -> AsyncIterator[ReplicationStream]:
    """Stream from a new temporary slot. Where the server still answers, the slot is gone when the context is left.

    Waits, like the server, until every transaction that was writing when it began has ended.
    """
    connection = await open_connection(url, replication=True)
    try:
        name = sql.Identifier(slot)
        await connection.execute(sql.SQL("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput").format(name))
        start = sql.SQL("START_REPLICATION SLOT {} LOGICAL 0/0 (proto_version '1', publication_names {})")
        stream = ReplicationStream(connection.pgconn)
        names = ",".join(f'"{publication}"' for publication in publications)
        await stream.start(start.format(name, sql.Literal(names)).as_bytes(connection))
        try:
            yield stream
        finally:
            with suppress(psycopg.OperationalError, TimeoutError):
                await stream.stop()
                await connection.execute(sql.SQL("DROP_REPLICATION_SLOT {}").format(name))
    finally:
        await connection.close()


class ReplicationStream:
    """A connection in COPY_BOTH mode. Raises psycopg.OperationalError when the server or the connection goes away."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._seen_lsn = 0

    async def start(self, command: bytes) -> None:
        self._pgconn.send_query(command)
        await self._flush()
        while self._pgconn.is_busy():
            await self._receive()
        result = self._pgconn.get_result()
        if result is None or result.status != pq.ExecStatus.COPY_BOTH:
            raise self._lost()

    async def transactions(self) -> AsyncIterator[Transaction]:
        """Committed transactions in commit order."""
        decoder = Decoder()
        current: Transaction | None = None
        async for data in self._payloads():
            match decoder.feed(data):
                case Begin(xid, committed_at):
                    current = Transaction(xid, committed_at, [])
                case Commit() if current is not None:
                    yield current
                    current = None
                case None | Commit():
                    pass
                case change if current is not None:
                    current.changes.append(change)

    async def stop(self) -> None:
        """End the copy, so that the connection takes commands again."""
        async with asyncio.timeout(_STOP_WITHIN_S):
            self._pgconn.put_copy_end()
            await self._flush()
            while (size := self._pgconn.get_copy_data(1)[0]) >= 0:
                if size == 0:
                    await self._receive()
            while self._pgconn.get_result() is not None:
                pass

    async def _payloads(self) -> AsyncIterator[bytes]:
        while True:
            size, data = self._pgconn.get_copy_data(1)
            if size > 0:
                if (payload := await self._unwrap(bytes(data))) is not None:
                    yield payload
            elif size == 0:
                try:
                    async with asyncio.timeout(_CONFIRM_EVERY_S):
                        await self._receive()
                except TimeoutError:
                    await self._confirm()
            else:
                raise self._lost()

    async def _unwrap(self, data: bytes) -> bytes | None:
        if data[:1] == b"k":
            _, end_lsn, _, reply_wanted = _KEEPALIVE.unpack(data)
            self._seen_lsn = max(self._seen_lsn, end_lsn)
            if reply_wanted:  # a server that shuts down waits for this answer
                await self._confirm()
            return None
        _, start_lsn, _, _ = _WAL_HEADER.unpack_from(data)
        self._seen_lsn = max(self._seen_lsn, start_lsn)
        return data[_WAL_HEADER.size :]

    async def _confirm(self) -> None:
        """Tell how far we are. The slot ends with the connection, so nothing that was seen will be asked for again."""
        now_us = time.time_ns() // 1000 - _EPOCH_OFFSET_US
        lsn = self._seen_lsn
        self._pgconn.put_copy_data(_STATUS.pack(b"r", lsn, lsn, lsn, now_us, 0))
        await self._flush()

    async def _flush(self) -> None:
        while self._pgconn.flush():
            await _ready(self._pgconn.socket, writing=True)

    async def _receive(self) -> None:
        await _ready(self._pgconn.socket)
        self._pgconn.consume_input()

    def _lost(self) -> psycopg.OperationalError:
        result = self._pgconn.get_result()
        message = (result and result.error_message) or self._pgconn.error_message or b"the server ended the stream"
        return psycopg.OperationalError(message.decode(errors="replace").strip())


async def _ready(socket: int, *, writing: bool = False) -> None:
    """Wait for libpq's socket. Watched only while waiting: unread data would otherwise spin the loop."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    watch, unwatch = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    watch(socket, _finish, done)
    try:
        await done
    finally:
        unwatch(socket)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
