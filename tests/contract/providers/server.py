"""A server on loopback that answers as it is scripted and remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
from aiohttp import web

Reply: TypeAlias = Callable[["Asked", web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Asked:
    """One request, and whether its client has gone away before the answer was over."""

    path: str
    headers: dict[str, str]
    """By name in lower case."""
    body: Any
    left: anyio.Event = field(default_factory=anyio.Event)


@dataclass(slots=True)
class ScriptedServer:
    url: str
    script: list[Reply] = field(default_factory=list)
    """The last one answers again and again."""
    asked: list[Asked] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.raw_path, headers, await request.json() if request.can_read_body else None)
        self.asked.append(asked)
        return await self.script[min(len(self.asked), len(self.script)) - 1](asked, request)


@asynccontextmanager
async def running_server(*script: Reply) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer("", list(script))
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        [address] = runner.addresses
        server.url = f"http://127.0.0.1:{address[1]}"
        yield server
    finally:
        await runner.cleanup()


def status(code: int, body: str = "{}", **headers: str) -> Reply:
    """Any answer that is not streamed. Underscores in the names of headers are hyphens."""

    async def reply(asked: Asked, request: web.Request) -> web.StreamResponse:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, text=body, headers={"content-type": "application/json", **names})

    return reply


def html(code: int) -> Reply:
    return status(code, "<html><body>Bad Gateway</body></html>", content_type="text/html")


def stream(pieces: Sequence[bytes], content_type: str = "text/event-stream") -> Reply:
    async def reply(asked: Asked, request: web.Request) -> web.StreamResponse:
        response = await _begun(request, content_type)
        for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response

    return reply


def hang_after(pieces: Sequence[bytes], content_type: str = "text/event-stream") -> Reply:
    """Sends this much and then nothing, until the client goes away."""

    async def reply(asked: Asked, request: web.Request) -> web.StreamResponse:
        try:
            response = await _begun(request, content_type)
            for piece in pieces:
                await response.write(piece)
            await anyio.sleep_forever()
        finally:
            asked.left.set()
        raise AssertionError("unreachable")

    return reply


def cut_after(pieces: Sequence[bytes], content_type: str = "text/event-stream") -> Reply:
    """Sends this much and then breaks the connection."""

    async def reply(asked: Asked, request: web.Request) -> web.StreamResponse:
        response = await _begun(request, content_type)
        for piece in pieces:
            await response.write(piece)
        assert request.transport is not None
        request.transport.abort()
        return response

    return reply


async def _begun(request: web.Request, content_type: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": content_type})
    await response.prepare(request)
    return response
