"""A page that changes while one looks at it: its changing part is sent again, as a server-sent event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from aiohttp import web
from loguru import logger

from analysis_worker.dashboard.queries import LIVE_SECONDS
from analysis_worker.dashboard.views import NotFoundError
from analysis_worker.errors import StoreError

MEDIA_TYPE = "text/event-stream"
_MOST_STREAMS = 24
_WHOLE_SECONDS = 600.0
"""Then the browser comes again by itself, and has to be let in again."""


class Streams:
    """So many at a time, and none once the site closes."""

    def __init__(self) -> None:
        self._slots = anyio.CapacityLimiter(_MOST_STREAMS)
        self._open: set[anyio.CancelScope] = set()

    async def send(self, request: web.Request, render: Callable[[], Awaitable[str]]) -> web.StreamResponse:
        """Sends what `render` gives whenever it is another than before."""
        place = object()
        try:
            self._slots.acquire_on_behalf_of_nowait(place)
        except anyio.WouldBlock as error:
            raise web.HTTPServiceUnavailable(text="too many look at the same time\n") from error
        response = web.StreamResponse(headers={"content-type": MEDIA_TYPE, "x-accel-buffering": "no"})
        try:
            with anyio.move_on_after(_WHOLE_SECONDS) as scope:
                self._open.add(scope)
                await response.prepare(request)
                await _follow(response, render)
        except ConnectionError:
            pass  # the browser went on
        finally:
            self._open.discard(scope)
            self._slots.release_on_behalf_of(place)
        return response

    def close(self) -> None:
        for scope in list(self._open):
            scope.cancel()


async def _follow(response: web.StreamResponse, render: Callable[[], Awaitable[str]]) -> None:
    sent = ""
    while True:
        try:
            current = await render()
            event = b": unchanged\n\n" if current == sent else _event("message", current)
        except StoreError as error:
            logger.warning("dashboard has no news", error=str(error))
            current, event = "", _event("trouble", "the queue does not answer")
        except NotFoundError as error:
            current, event = "", _event("trouble", str(error))
        await response.write(event)
        sent = current
        await anyio.sleep(LIVE_SECONDS)


def _event(name: str, text: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {name}\n{lines}\n".encode()
