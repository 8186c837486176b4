"""The life of a stack: PostgreSQL, the platform's objects, the owner's migrations, the gateway, and all of it undone.

What blocks runs in a thread and is never cut short: whoever asks for the end gets it at the next step, so that no
half-started server is left behind. Each step takes a second or two.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg
from aiohttp import web

from supabase_local.auth import create_auth_app
from supabase_local.database import bootstrap, migrate, read_migrations
from supabase_local.directory import RunningStack, StackDirectory, StackError, from_keys
from supabase_local.gateway import Service, create_gateway
from supabase_local.keys import Keys
from supabase_local.postgres import SUPERUSER, PostgresError, PostgresServer
from supabase_local.realtime import create_realtime_app
from supabase_local.rest import create_rest_app
from supabase_local.storage import create_storage_app
from supabase_local.storage.uploads import MAX_FILE_BYTES

_HOST = "127.0.0.1"
_PORT_ATTEMPTS = 5
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class StackOptions:
    """`port` None takes the last one again, or any. `durable` survives a power cut and is slower."""

    directory: Path
    port: int | None = None
    migrations: Path | None = None
    durable: bool = False
    postgres_bin: Path | None = None
    keep: bool = True


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
        server = await _step(stop, lambda: _start_postgres(options, directory.postgres(), port))
        await _step(stop, lambda: _prepare_database(server, options.migrations))
        listener = _listen(options.port, last.gateway_port if last else None)
        async with _serving(listener, server, keys, directory.files) as api_url:
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


def _start_postgres(options: StackOptions, directory: Path, port: int | None) -> PostgresServer:
    """On the port it had, if that is free still; another program may take a free port first, hence the attempts."""
    stop_postgres(directory, options)
    _forget_half_made(directory)
    for attempt in range(_PORT_ATTEMPTS):
        server = PostgresServer(directory, _free_port(port), options.postgres_bin, options.durable)
        if not server.data_dir.exists():
            server.create()
        try:
            server.start()
        except PostgresError as error:
            if "could not bind" not in str(error) or attempt == _PORT_ATTEMPTS - 1:
                raise
            port = None
        else:
            return server
    raise AssertionError


def _prepare_database(server: PostgresServer, migrations: Path | None) -> None:
    complete = server.directory / "complete"
    if not complete.exists():
        bootstrap(server.url(SUPERUSER))
        complete.touch()
    if migrations is not None:
        migrate(server.url(), read_migrations(migrations))


def _forget_half_made(directory: Path) -> None:
    """Clear what an interrupted first start left, so that this one begins anew."""
    if not (directory / "complete").exists():
        shutil.rmtree(directory / "data", ignore_errors=True)


def stop_postgres(directory: Path, options: StackOptions) -> None:
    """Stop the server of this directory, one left by a killed stack too; a stale pid file only goes."""
    pid_file = directory / "data" / "postmaster.pid"
    if not pid_file.exists():
        return
    server = PostgresServer(directory, _port_in(pid_file), options.postgres_bin, options.durable)
    if not _is_serving(server):
        pid_file.unlink(missing_ok=True)
        return
    try:
        server.stop("fast" if options.keep else "immediate")
    except PostgresError:
        server.stop("immediate")


def _port_in(pid_file: Path) -> int:
    lines = pid_file.read_text().splitlines()
    return int(lines[3]) if len(lines) > 3 else 0


def _is_serving(server: PostgresServer) -> bool:
    """Whether this very data directory answers on its port: a pid alone may belong to somebody else by now."""
    for _ in range(50):
        try:
            with psycopg.connect(server.url(SUPERUSER), connect_timeout=5) as connection:
                row = connection.execute("show data_directory").fetchone()
                return row is not None and Path(row[0]) == server.data_dir.absolute()
        except psycopg.OperationalError as error:
            if "the database system is" not in str(error):  # starting up, shutting down, in recovery
                return False
            time.sleep(0.1)
    return True


def _free_port(preferred: int | None) -> int:
    with _listen(None, preferred) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listen(port: int | None, preferred: int | None) -> socket.socket:
    """A listening socket on `port`, else on `preferred` if it is free, else on any port."""
    if port is not None:
        try:
            return socket.create_server((_HOST, port))
        except OSError as error:
            raise StackError(f"port {port} cannot be used: {os.strerror(error.errno or 0)}") from error
    try:
        return socket.create_server((_HOST, preferred or 0))
    except OSError:
        return socket.create_server((_HOST, 0))


@asynccontextmanager
async def _serving(listener: socket.socket, server: PostgresServer, keys: Keys, files: Path) -> AsyncIterator[str]:
    api_url = f"http://{_HOST}:{listener.getsockname()[1]}"
    runner = web.AppRunner(_gateway(api_url, server, keys, files), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield api_url
    finally:
        await runner.cleanup()
        listener.close()


def _gateway(api_url: str, server: PostgresServer, keys: Keys, files: Path) -> web.Application:
    secret = keys.jwt_secret
    services = {
        "/auth/v1": Service(create_auth_app(server.url("supabase_auth_admin"), secret, f"{api_url}/auth/v1")),
        "/rest/v1": Service(create_rest_app(server.url("authenticator"), secret), max_body_bytes=MAX_FILE_BYTES),
        "/realtime/v1": Service(create_realtime_app(server.url(SUPERUSER), secret)),
        "/storage/v1": Service(
            create_storage_app(server.url("supabase_storage_admin"), secret, files),
            open_door=True,
            max_body_bytes=MAX_FILE_BYTES,
        ),
    }
    return create_gateway(services, keys)
