"""A server or a whole stack for as long as a block runs: for tests, benchmarks and the like."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from supabase_local.database import bootstrap
from supabase_local.directory import StackVariables
from supabase_local.postgres import SUPERUSER, PostgresServer

READY_S = 60
STOP_S = 60


class StackNotReadyError(RuntimeError):
    """The stack did not say where it is."""


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(
    durable: bool = False, bin_dir: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """PostgreSQL as the platform leaves it, without migrations. `settings` go into its configuration file."""
    with tempfile.TemporaryDirectory(prefix="supabase-local-") as directory:
        Path(directory).chmod(0o755)
        server = PostgresServer(Path(directory) / "postgres", free_port(), bin_dir, durable)
        server.create()
        with (server.data_dir / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in (settings or {}).items())
        try:
            server.start()
            bootstrap(server.url(SUPERUSER))
            yield server
        finally:
            server.stop()


def serve_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "supabase_local", "serve", *arguments]


def read_variables(output: IO[bytes]) -> StackVariables:
    """The line that a stack prints when it is ready; waits 60 s at most, then raises StackNotReadyError."""
    readable, _, _ = select.select([output], [], [], READY_S)
    line = output.readline() if readable else b""
    if not line:
        raise StackNotReadyError("the stack did not become ready; its reason is on standard error")
    return StackVariables.model_validate_json(line)


@contextmanager
def running_stack(*arguments: str, log: IO[bytes] | None = None) -> Iterator[StackVariables]:
    """A stack in a process of its own; `arguments` are those of `serve`, and `log` gets its standard error.

    It also goes when this process dies, for its standard input closes then.
    """
    command = serve_command("--until-stdin-closes", *arguments)
    with (
        tempfile.TemporaryDirectory(prefix="supabase-local-") as elsewhere,  # where no migrations lie by default
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=elsewhere) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield read_variables(process.stdout)
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
