"""The life of a stack: PostgreSQL, the platform's objects, the owner's migrations, the gateway, and all of it undone.

What blocks runs in a thread and is never cut short: whoever asks for the end gets it at the next step, so that no
half-started server is left behind. Each step takes a second or two.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from supabase_local.auth import create_auth_app
from supabase_local.directory import RunningStack, StackDirectory, from_keys
from supabase_local.faults import RestFaults, add_faults
from supabase_local.functions import FunctionSources, create_functions_app
from supabase_local.gateway import ROLE_KEY_HEADER, Service, create_gateway
from supabase_local.keys import Keys
from supabase_local.postgres import SUPERUSER, PostgresServer
from supabase_local.realtime import Faults, create_realtime_app
from supabase_local.rest import create_rest_app
from supabase_local.server import HOST, StackOptions, listen, prepare_database, start_postgres, stop_postgres
from supabase_local.storage import create_storage_app
from supabase_local.storage.uploads import MAX_FILE_BYTES

_Result = TypeVar("_Result")


class StackInterrupted(Exception):  # noqa: N818 - a wish, not an error
    """The end was asked for before the stack was ready."""


@asynccontextmanager
async def running_stack(options: StackOptions, stop: asyncio.Event) -> AsyncIterator[RunningStack]:
    """A ready stack. The caller holds the directory. Raises StackInterrupted where `stop` is set on the way up."""
    directory = StackDirectory(options.directory)
    directory.files.mkdir(exist_ok=True)
    keys, last = directory.keys(), directory.last()
    try:
        port = last.postgres_port if last else None
        server = await _step(stop, lambda: start_postgres(options, directory.postgres(), port))
        await _step(stop, lambda: prepare_database(server, options.migrations))
        listener = listen(options.port, last.gateway_port if last else None)
        api_url = f"http://{HOST}:{listener.getsockname()[1]}"
        gateway = _gateway(api_url, server, keys, directory, options)
        async with _serving(listener, gateway):
            variables = from_keys(api_url, server.url(), keys)
            gateway_port = listener.getsockname()[1]
            yield RunningStack(
                pid=os.getpid(), gateway_port=gateway_port, postgres_port=server.port, variables=variables
            )
    finally:
        await asyncio.to_thread(stop_postgres, directory.postgres(), options)


async def _step(stop: asyncio.Event, work: Callable[[], _Result]) -> _Result:
    result = await asyncio.to_thread(work)
    if stop.is_set():
        raise StackInterrupted
    return result


@asynccontextmanager
async def _serving(listener: socket.socket, gateway: web.Application) -> AsyncIterator[None]:
    runner = web.AppRunner(gateway, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
        listener.close()


def _gateway(
    api_url: str, server: PostgresServer, keys: Keys, directory: StackDirectory, options: StackOptions
) -> web.Application:
    secret = keys.jwt_secret
    rest = create_rest_app(server.url("authenticator"), secret)
    if options.faults:
        add_faults(rest, RestFaults())
    services = {
        "/auth/v1": Service(create_auth_app(server.url("supabase_auth_admin"), secret, f"{api_url}/auth/v1")),
        "/rest/v1": Service(rest, max_body_bytes=MAX_FILE_BYTES),
        "/realtime/v1": Service(
            create_realtime_app(server.url(SUPERUSER), secret, faults=Faults() if options.faults else None)
        ),
        "/storage/v1": Service(
            create_storage_app(server.url("supabase_storage_admin"), secret, directory.files),
            open_door=True,
            max_body_bytes=MAX_FILE_BYTES,
        ),
    }
    if options.functions is not None:
        sources = FunctionSources(options.functions, options.functions_env)
        services["/functions/v1"] = Service(
            _functions(sources, api_url, keys, directory.path / "deno"), open_door=True, own_cors=True
        )
    return create_gateway(services, keys)


def _functions(sources: FunctionSources, api_url: str, keys: Keys, cache: Path) -> web.Application:
    environment = {
        "SUPABASE_URL": api_url,
        "SUPABASE_ANON_KEY": keys.anon_key,
        "SUPABASE_SERVICE_ROLE_KEY": keys.service_role_key,
        "DENO_DIR": str(cache.absolute()),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
    }
    return create_functions_app(sources, keys.jwt_secret, environment, unseen=(ROLE_KEY_HEADER,))
