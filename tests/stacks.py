"""A whole local stack in a process of its own, for tests that speak to it as an application would."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from supabase_local.directory import StackVariables
from tests.databases import MIGRATIONS

READY_S = 60
STOP_S = 60


def serve_command(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "supabase_local", "serve", *arguments]
    bin_dir = os.environ.get("ANALYSIS_TEST_POSTGRES_BIN")
    return [*command, "--postgres-bin", bin_dir] if bin_dir else command


def read_variables(output: IO[bytes]) -> StackVariables:
    """The line that a stack prints when it is ready; waits 60 s at most."""
    readable, _, _ = select.select([output], [], [], READY_S)
    line = output.readline() if readable else b""
    if not line:
        raise AssertionError("the stack did not become ready; its reason is on standard error")
    return StackVariables.model_validate_json(line)


@contextmanager
def running_stack(migrations: bool = True) -> Iterator[StackVariables]:
    """A stack in a temporary directory. It also goes when this process dies, for its standard input closes then."""
    arguments = ["--until-stdin-closes", *(["--migrations", str(MIGRATIONS)] if migrations else [])]
    with (
        tempfile.TemporaryDirectory(prefix="analysis-tests-") as elsewhere,  # where no migrations lie by default
        subprocess.Popen(
            serve_command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=elsewhere
        ) as process,
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
