"""A whole local stack in a process of its own, for tests that speak to it as an application would."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from supabase_local import temporary
from supabase_local.directory import StackVariables
from tests.databases import MIGRATIONS


def serve_command(*arguments: str) -> list[str]:
    return temporary.serve_command(*arguments, *_postgres())


def running_stack(migrations: bool = True) -> AbstractContextManager[StackVariables]:
    return temporary.running_stack(*(["--migrations", str(MIGRATIONS)] if migrations else []), *_postgres())


def _postgres() -> list[str]:
    bin_dir = os.environ.get("ANALYSIS_TEST_POSTGRES_BIN")
    return ["--postgres-bin", bin_dir] if bin_dir else []
