"""Realtime: the WebSocket protocol of Supabase Realtime, with changes and broadcasts from real logical decoding.

Not served: presence (beyond the empty state that a join is told), broadcasts by clients over HTTP or in binary frames,
rate limits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from aiohttp import web

from supabase_local.realtime.claims import TokenExpiredError, TokenRefusedError, read_claims
from supabase_local.realtime.faults import Faults, control_route
from supabase_local.realtime.feed import Feed
from supabase_local.realtime.options import RealtimeOptions
from supabase_local.realtime.protocol import VERSIONS
from supabase_local.realtime.services import Services
from supabase_local.realtime.socket import Socket

__all__ = ["Faults", "RealtimeOptions", "create_realtime_app"]

_SERVICES = web.AppKey("services", Services)
_CANCEL_AGAIN_AFTER_S = 3
_DEFAULTS = RealtimeOptions()


def create_realtime_app(
    database_url: str, jwt_secret: str, options: RealtimeOptions = _DEFAULTS, faults: Faults | None = None
) -> web.Application:
    """`database_url` names a superuser. A gateway may put the JWT that the client's key stands for into `X-Api-Key`.

    The app connects while it starts and keeps trying; it never fails for want of a database. With `faults` they can be
    switched, in code or by `POST /_faults`.
    """
    app = web.Application()
    feed = Feed(database_url, options.publication_check_s, options.changes_every_s)
    app[_SERVICES] = Services(feed, options, faults or Faults(), jwt_secret, time.time)
    if faults is not None:
        app.router.add_routes([control_route(faults)])
    app.router.add_get("/websocket", _connect)
    app.router.add_get("/socket/websocket", _connect)
    app.cleanup_ctx.append(_run_feed)
    app.on_shutdown.append(_close_sockets)
    return app


async def _connect(request: web.Request) -> web.StreamResponse:
    services = request.app[_SERVICES]
    await services.faults.thawed()
    if services.faults.refuse:
        return web.Response(status=503)
    asked = request.query.get("vsn", VERSIONS[0])
    version = next((known for known in VERSIONS if known == asked), None)
    if version is None:
        return web.Response(status=403)
    key = request.headers.get("x-api-key") or request.query.get("apikey", "")
    if (refusal := _refusal(key, services)) is not None:
        await asyncio.sleep(services.options.handshake_refusal_delay_s)
        return web.json_response({"error": refusal}, status=401)
    if (transport := request.transport) is None:
        return web.Response(status=408)  # to nobody: the client has gone while it waited
    ws = web.WebSocketResponse(autoping=False, autoclose=False)
    await ws.prepare(request)
    services.faults.sockets[ws] = transport
    try:
        await Socket(services, version, key).serve(ws)
    finally:
        del services.faults.sockets[ws]
    return ws


def _refusal(key: str, services: Services) -> str | None:
    if not key:
        return "API key is missing"
    try:
        read_claims(key, services.jwt_secret, services.clock())
    except TokenExpiredError:
        return "Token has expired"
    except TokenRefusedError as error:
        return error.message
    return None


async def _run_feed(app: web.Application) -> AsyncIterator[None]:
    feed = app[_SERVICES].feed
    running = {asyncio.create_task(feed.run()), asyncio.create_task(feed.watch_publication())}
    yield
    while running:  # again and again: a connection that fails while it is cancelled raises its own error instead
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_CANCEL_AGAIN_AFTER_S)


async def _close_sockets(app: web.Application) -> None:
    faults = app[_SERVICES].faults
    faults.freeze = False
    await faults.drop_sockets("close")
