"""Functions in processes of their own, which end when nobody waits for them any more: cancelled, late, or let go.

A process runs one function and is kept for the next call of the same one. Both directions carry frames: four bytes of
length, big-endian, then JSON. It inherits the module search path and nothing else of the environment, which holds keys.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel

from analysis_worker.errors import RetryableError
from analysis_worker.isolated import Answer

Function: TypeAlias = Callable[[Any], BaseModel]

_MAX_ANSWER = 16 * 1024 * 1024
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: Process
    answers: BufferedByteReceiveStream


class Processes:
    """The processes of one worker, idle ones by function."""

    def __init__(self) -> None:
        self._idle: defaultdict[str, list[_Worker]] = defaultdict(list)

    async def call(self, function: Function, argument: BaseModel) -> Any:
        """The function's result as JSON types. Raises its HandlerError, or RetryableError where the process died."""
        name = _name_of(function)
        worker = self._idle[name].pop() if self._idle[name] else await _start(name, _name_of(type(argument)))
        try:
            answer = Answer.model_validate_json(await _ask(worker, argument.model_dump_json().encode()))
        except _GONE as error:
            await _end(worker)
            raise RetryableError("process_died", "The process of the analysis ended unexpectedly.") from error
        except BaseException:
            await _end(worker)
            raise
        self._idle[name].append(worker)
        return answer.unwrap()

    async def aclose(self) -> None:
        for workers in self._idle.values():
            while workers:
                await _end(workers.pop())


@asynccontextmanager
async def open_processes() -> AsyncIterator[Processes]:
    processes = Processes()
    try:
        yield processes
    finally:
        await processes.aclose()


def check_importable(function: Callable[..., Any] | builtins.type) -> None:
    """Raises ValueError unless another process can find it by its name."""
    if "<" in function.__qualname__ or function.__module__ == "__main__":
        raise ValueError(f"{function.__qualname__} runs in a process of its own and must be defined in a module")


def _name_of(function: Callable[..., Any] | builtins.type) -> str:
    return f"{function.__module__}:{function.__qualname__}"


async def _start(function: str, model: str) -> _Worker:
    command = [sys.executable, "-m", "analysis_worker.isolated", function, model]
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = await anyio.open_process(command, stderr=None, env=environment, start_new_session=True)
    assert process.stdout is not None
    return _Worker(process, BufferedByteReceiveStream(process.stdout))


async def _ask(worker: _Worker, body: bytes) -> bytes:
    assert worker.process.stdin is not None
    await worker.process.stdin.send(len(body).to_bytes(4, "big") + body)
    size = int.from_bytes(await worker.answers.receive_exactly(4), "big")
    if size > _MAX_ANSWER:
        raise anyio.BrokenResourceError
    return await worker.answers.receive_exactly(size)


async def _end(worker: _Worker) -> None:
    if worker.process.returncode is None:
        worker.process.kill()
    with anyio.CancelScope(shield=True):
        await worker.process.aclose()
