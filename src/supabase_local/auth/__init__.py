"""`/auth/v1`: the part of GoTrue that supabase-py and supabase-js use for e-mail, password and anonymous users."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from supabase_local.auth import admin, routes
from supabase_local.auth.errors import answer_errors
from supabase_local.auth.requests import SERVICE, AuthService


def create_auth_app(
    database_url: str, jwt_secret: str, issuer: str, clock: Callable[[], float] = time.time
) -> web.Application:
    """`database_url` connects as `supabase_auth_admin`; `issuer` is the public URL of this service."""
    app = web.Application(middlewares=[answer_errors])
    app.add_routes(routes.routes)
    app.add_routes(admin.routes)

    async def connected(app: web.Application) -> AsyncIterator[None]:
        async with AsyncConnectionPool(database_url, min_size=1, max_size=10, open=False) as pool:
            app[SERVICE] = AuthService(pool, jwt_secret, issuer, clock)
            yield

    app.cleanup_ctx.append(connected)
    return app
