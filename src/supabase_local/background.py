"""A stack in a process of its own: start it, wait for it, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from supabase_local.directory import RunningStack, StackDirectory, StackError
from supabase_local.server import StackOptions, stop_postgres

_START_S = 60
_STOP_S = 45
_POLL_S = 0.05


def start_in_background(options: StackOptions) -> RunningStack:
    """Returns when the stack is ready, 60 s at most. A stack that does not come up is taken down again."""
    directory = StackDirectory(options.directory.absolute())
    directory.path.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(directory.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        said_before = log.tell()
        child = subprocess.Popen(
            [sys.executable, "-m", "supabase_local", "serve", *_arguments(options, directory.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # it outlives this terminal, and its Ctrl-C
        )
    try:
        return _wait_until_ready(child, directory, said_before)
    except BaseException:
        _end(child)
        raise


def stop_in_background(options: StackOptions) -> bool:
    """False where no stack was running; a database that a killed stack left behind is stopped then, too."""
    directory = StackDirectory(options.directory.absolute())
    pid = directory.holder()
    if pid is None:
        if directory.path.is_dir():
            directory.hold()
            stop_postgres(directory.postgres(), options)
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while directory.holder() == pid:
        if time.monotonic() > deadline:
            raise StackError(f"process {pid} did not stop within {_STOP_S} s; see {directory.log_file}")
        time.sleep(_POLL_S)
    return True


def _arguments(options: StackOptions, directory: Path) -> list[str]:
    arguments = ["--directory", str(directory)]
    for option, path in (
        ("--migrations", options.migrations),
        ("--functions", options.functions),
        ("--functions-env", options.functions_env),
        ("--postgres-bin", options.postgres_bin),
    ):
        arguments += [] if path is None else [option, str(path.absolute())]
    if options.port is not None:
        arguments += ["--port", str(options.port)]
    return [*arguments, *(["--durable"] if options.durable else [])]


def _wait_until_ready(child: subprocess.Popen[bytes], directory: StackDirectory, said_before: int) -> RunningStack:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        stack = directory.running()
        if stack is not None and stack.pid == child.pid:
            return stack
        if child.poll() is not None:
            said = directory.log_file.read_bytes()[said_before:].decode(errors="replace").strip()
            raise StackError(said.removeprefix("error: ") or f"the stack ended with code {child.returncode}")
        time.sleep(_POLL_S)
    raise StackError(f"the stack was not ready within {_START_S} s; see {directory.log_file}")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
