"""`/storage/v1`: the part of Supabase Storage that supabase-py and supabase-js use for whole files."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from supabase_local.storage import bucket_routes, download_routes, object_routes, upload_routes
from supabase_local.storage.caller import SERVICE, StorageService
from supabase_local.storage.errors import answer_errors


def create_storage_app(
    database_url: str, jwt_secret: str, directory: Path, clock: Callable[[], float] = time.time
) -> web.Application:
    """`database_url` connects as `supabase_storage_admin`; `directory` exists and belongs to this app alone."""
    app = web.Application(middlewares=[answer_errors])
    for module in (bucket_routes, upload_routes, download_routes, object_routes):
        app.add_routes(module.routes)

    async def connected(app: web.Application) -> AsyncIterator[None]:
        pool = AsyncConnectionPool[AsyncConnection[dict[str, Any]]](
            database_url, kwargs={"row_factory": dict_row}, min_size=1, max_size=10, open=False
        )
        async with pool:
            app[SERVICE] = StorageService(pool, directory, jwt_secret, clock)
            yield

    app.cleanup_ctx.append(connected)
    return app
