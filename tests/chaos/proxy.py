"""A TCP proxy in front of the stack, whose connections break in all the ways that connections break."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_CHUNK = 65536
_THAW_CHECK_S = 0.02
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_marked: bool = False
    swallows: bool = False


@dataclass(slots=True)
class FaultProxy:
    """Faults of connections that are open now and over which a client has sent `mark`.

    All others go through unharmed, except for `latency_s`, which is for every 64 KiB, and `drops`: what comes from the
    server at once and begins so.
    """

    upstream_port: int
    loop: asyncio.AbstractEventLoop
    address: str
    mark: bytes
    port: int = 0
    latency_s: float = 0.0
    frozen: bool = False
    drops: bytes | None = None
    _connections: set[_Connection] = field(default_factory=set)

    def close(self) -> int:
        """End them with a FIN to both sides. Returns how many."""
        return self._for_each(_close)

    def reset(self) -> int:
        """End them with an RST to the client."""
        return self._for_each(_reset)

    def half_open(self) -> int:
        """The server is gone, and the client is never told: what it sends goes nowhere, and nothing comes."""
        return self._for_each(_half_open)

    async def serve(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):  # whoever ends the proxy cancels what is left
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            connection = _Connection(client, server)
            self._connections.add(connection)
            try:
                await asyncio.gather(
                    self._pump(client_reader, server, connection), self._pump(server_reader, client, connection)
                )
            finally:
                self._connections.discard(connection)
                for writer in (client, server):
                    writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection) -> None:
        while data := await reader.read(_CHUNK):
            connection.is_marked |= writer is connection.server and self.mark in data
            await self._pass_on(data, writer, connection)
        if not connection.swallows:
            writer.close()

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter, connection: _Connection) -> None:
        while self.frozen and connection.is_marked:  # noqa: ASYNC110 - switched by another thread
            await asyncio.sleep(_THAW_CHECK_S)
        await asyncio.sleep(self.latency_s)
        drops = self.drops is not None and writer is connection.client and data.startswith(self.drops)
        if not connection.swallows and not drops:
            writer.write(data)
            await writer.drain()

    def _for_each(self, act: Callable[[_Connection], None]) -> int:
        async def run() -> int:
            marked = [connection for connection in self._connections if connection.is_marked]
            for connection in marked:
                act(connection)
            return len(marked)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(5)


def _close(connection: _Connection) -> None:
    connection.client.close()
    connection.server.close()


def _reset(connection: _Connection) -> None:
    raw: socket.socket = connection.client.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.client.transport.abort()
    connection.server.close()


def _half_open(connection: _Connection) -> None:
    connection.swallows = True
    connection.server.close()


@contextmanager
def running_proxy(upstream_port: int, address: str = "127.0.0.1", mark: bytes = b"") -> Iterator[FaultProxy]:
    """A proxy on a port of its own, in a thread of its own. An empty mark is every connection's."""
    proxy = FaultProxy(upstream_port, asyncio.new_event_loop(), address, mark)
    ready = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(proxy.serve, address, 0)
        proxy.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: proxy.loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield proxy
    finally:
        proxy.loop.call_soon_threadsafe(stop.set)
        thread.join(5)
