"""The dashboard on a port: its own, or a worker's beside the probes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
from aiohttp import web

from analysis_worker.adapters.http_port import Route
from analysis_worker.adapters.operators import AsyncOperations
from analysis_worker.adapters.postgrest import KeyAuth
from analysis_worker.adapters.supabase_auth import AuthUsers, CallersAuth
from analysis_worker.dashboard.auth import Gate, session_secret
from analysis_worker.dashboard.entrance import Desk
from analysis_worker.dashboard.live import Streams
from analysis_worker.dashboard.queries import Queries
from analysis_worker.dashboard.rendering import BASE, Templates
from analysis_worker.dashboard.sessions import Sessions
from analysis_worker.dashboard.shared import SharedAnswers
from analysis_worker.dashboard.site import create_site
from analysis_worker.dashboard.throttle import Throttle
from analysis_worker.settings import DashboardSettings

# However many look, the queue has so many questions at a time; one that waits for longer than its patience is given up.
_LIMITS = httpx.Limits(max_connections=4, max_keepalive_connections=4)
_TIMEOUT = httpx.Timeout(8.0, connect=3.0, pool=6.0)
_FAILURES, _FAILURES_SECONDS = 5, 60.0


@asynccontextmanager
async def open_dashboard(
    url: str, current_key: Callable[[], str], settings: DashboardSettings
) -> AsyncIterator[web.Application]:
    """The site of the project at `url`, to be mounted at BASE."""
    async with (
        _client(f"{url}/rest/v1/", KeyAuth(current_key)) as rest,
        _client(f"{url}/auth/v1/", CallersAuth(current_key)) as users,
    ):
        yield create_site(
            Desk(
                gate=Gate(settings, AuthUsers(users) if settings.supabase_auth else None),
                sessions=Sessions(session_secret(settings, current_key), time.time, settings.session_hours * 3600),
                throttle=Throttle(_FAILURES, _FAILURES_SECONDS, time.monotonic),
                queries=Queries(AsyncOperations(rest), SharedAnswers(time.monotonic)),
                templates=Templates(),
                streams=Streams(),
            )
        )


def _client(base_url: str, auth: httpx.Auth) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, auth=auth, timeout=_TIMEOUT, limits=_LIMITS)


@asynccontextmanager
async def open_web_port(
    address: str, port: int, site: web.Application, routes: Mapping[str, Route]
) -> AsyncIterator[int]:
    """Answers while the block runs; yields the port's number, which is another one for 0. Raises OSError when taken."""
    root = web.Application()
    for path, route in routes.items():
        root.router.add_get(path, _page(route))
    if "/" not in routes:
        root.router.add_get("/", _to_dashboard)
    root.router.add_get(BASE, _to_dashboard)
    root.add_subapp(BASE, site)
    runner = web.AppRunner(root, access_log=None, handle_signals=False, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _page(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.Response:
        del request
        page = await route()
        headers = {"content-type": page.content_type, "cache-control": "no-store"}
        return web.Response(body=page.body, status=page.status, headers=headers)

    return answer


async def _to_dashboard(request: web.Request) -> web.Response:
    del request
    raise web.HTTPFound(f"{BASE}/")
