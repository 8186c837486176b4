"""A throw-away local stack for one demo, in a process of its own that ends when we do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from pydantic import BaseModel, ConfigDict, SecretStr

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class StackError(RuntimeError):
    """The local stack did not start; the message says why."""


class StackVariables(BaseModel):
    """What `supabase status -o json` calls them."""

    model_config = ConfigDict(alias_generator=str.upper)

    api_url: str
    anon_key: str
    secret_key: SecretStr


@asynccontextmanager
async def throwaway_stack(migrations: Path) -> AsyncIterator[StackVariables]:
    """A running stack with our migrations. It watches its standard input and cleans up when that closes."""
    command = [sys.executable, "-m", "supabase_local", "serve", "--until-stdin-closes", "--migrations", str(migrations)]
    with anyio.CancelScope(shield=True):  # between fork and `try` nothing may interrupt us
        process = await anyio.open_process(command, stderr=subprocess.PIPE, start_new_session=True)
    try:
        yield await _read_variables(process)
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _read_variables(process: Process) -> StackVariables:
    assert process.stdout is not None
    assert process.stderr is not None
    line = ""
    with anyio.move_on_after(_START_SECONDS):
        async for text in TextReceiveStream(process.stdout):
            line += text
            if "\n" in line:
                return StackVariables.model_validate(json.loads(line))
        reason = "".join([text async for text in TextReceiveStream(process.stderr)]).strip()
        raise StackError(reason or f"the local stack ended with exit code {await process.wait()}")
    raise StackError(f"the local stack was not ready after {_START_SECONDS:g} s")


async def _end(process: Process) -> None:
    assert process.stdin is not None
    await process.stdin.aclose()
    with anyio.move_on_after(_STOP_SECONDS):
        await process.wait()
        return
    process.kill()
    await process.wait()
