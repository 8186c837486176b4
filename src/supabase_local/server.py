"""The PostgreSQL server of one stack: begun, prepared, found again after a crash, stopped."""

from __future__ import annotations

import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from supabase_local.database import bootstrap, migrate, read_migrations
from supabase_local.directory import StackError
from supabase_local.postgres import SUPERUSER, PostgresError, PostgresServer

HOST = "127.0.0.1"
_PORT_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class StackOptions:
    """`port` None takes the last one again, or any. `durable` survives a power cut and is slower.

    `faults` lets clients switch faults of REST and Realtime by `POST .../_faults`, for tests. `functions` is the folder
    of the Edge Functions, `functions_env` a file with what they are to find in their environment.
    """

    directory: Path
    port: int | None = None
    migrations: Path | None = None
    durable: bool = False
    postgres_bin: Path | None = None
    keep: bool = True
    faults: bool = False
    functions: Path | None = None
    functions_env: Path | None = None


def start_postgres(options: StackOptions, directory: Path, port: int | None) -> PostgresServer:
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


def prepare_database(server: PostgresServer, migrations: Path | None) -> None:
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
    with listen(None, preferred) as probe:
        port: int = probe.getsockname()[1]
        return port


def listen(port: int | None, preferred: int | None) -> socket.socket:
    """A listening socket on `port`, else on `preferred` if it is free, else on any port."""
    if port is not None:
        try:
            return socket.create_server((HOST, port))
        except OSError as error:
            raise StackError(f"port {port} cannot be used: {os.strerror(error.errno or 0)}") from error
    try:
        return socket.create_server((HOST, preferred or 0))
    except OSError:
        return socket.create_server((HOST, 0))
