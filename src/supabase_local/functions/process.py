"""One Deno process that serves one function: started, watched, restarted after a crash, ended."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path

from supabase_local.functions.sources import Function

_BOOT = Path(__file__).with_name("boot.ts")
_LISTENING = b"@supabase-local listening "
_BOOT_S = 60.0  # the first start may have to fetch what the function imports
_STOP_S = 3.0
_LINE_BYTES = 1024 * 1024


class BootError(Exception):
    """The function cannot be run; the message is for the caller, what it said is in the log."""


class FunctionProcess:
    def __init__(self, deno: Path, function: Function, environment: Mapping[str, str], env_file: Path | None) -> None:
        """`environment` is all that the function sees of one, apart from `env_file`."""
        self._command = _command(deno, function, env_file)
        self._name = function.name
        self._environment = dict(environment)
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._port = 0
        self._log: asyncio.Task[None] | None = None

    async def port(self, deserted: int | None = None) -> int:
        """Where it listens; starts it where it does not run, or not any more. Raises BootError.

        `deserted` is a port at which nobody answers: the end of a process is seen there before it is known here.
        """
        async with self._starting:
            if self._process is None or self._process.returncode is not None or self._port == deserted:
                await self._start()
            return self._port

    async def stop(self) -> None:
        async with self._starting:
            await self._end()

    async def _start(self) -> None:
        await self._end()
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env=self._environment,
            limit=_LINE_BYTES,
            start_new_session=True,
        )
        listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._log = asyncio.create_task(self._read_output(self._process, listening))
        try:
            self._port = await asyncio.wait_for(listening, _BOOT_S)
        except TimeoutError:
            await self._end()
            raise BootError("Function failed to start (it does not listen)") from None

    async def _read_output(self, process: Process, listening: asyncio.Future[int]) -> None:
        """Everything it says goes to the stack's log, until it says no more."""
        assert process.stdout is not None
        while line := await _read_line(process.stdout):
            if line.startswith(_LISTENING) and not listening.done():
                listening.set_result(int(line.removeprefix(_LISTENING)))
            else:
                sys.stderr.write(f"[{self._name}] {line.decode(errors='replace').rstrip()}\n")
                sys.stderr.flush()
        await process.wait()
        if not listening.done():
            listening.set_exception(BootError("Function failed to start (please check logs)"))

    async def _end(self) -> None:
        process, log = self._process, self._log
        self._process = self._log = None
        if process is None or log is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(log), _STOP_S)
        except TimeoutError:
            process.kill()
            await log


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    """A line that is longer than anybody reads comes in pieces."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as over:
        return await stream.readexactly(over.consumed)


def _command(deno: Path, function: Function, env_file: Path | None) -> list[str]:
    options = ["--quiet", "--no-prompt", "--allow-net", "--allow-env", f"--allow-read={function.directory.parent}"]
    config = ["--no-config"] if function.config is None else ["--config", str(function.config)]
    environment = [] if env_file is None else [f"--env-file={env_file.absolute()}"]
    return [str(deno), "run", *options, *config, *environment, str(_BOOT), function.module.as_uri()]


def find_deno() -> Path:
    """The binary of the package `deno`; raises BootError where it is not installed."""
    try:
        from deno import find_deno_bin  # type: ignore[import-untyped]  # noqa: PLC0415 - only functions need it

        return Path(os.fsdecode(find_deno_bin()))
    except (ImportError, FileNotFoundError):
        raise BootError("Function failed to start: Deno is not installed; pip install 'deno>=2.9,<3'") from None
