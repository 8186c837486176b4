"""What an application registers: for each job type its models and the function that does the work.

Three kinds, by where the function runs: a `Handler` in the worker's event loop, a `ThreadHandler` in a thread, for code
that waits without `await`, a `ProcessHandler` in a process that is killed when the job is cancelled or late, for code
that computes. `concurrency` limits how many of one type a worker runs at a time, within its slots.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import anyio
import anyio.to_thread
from pydantic import BaseModel

from analysis_worker.context import JobContext
from analysis_worker.processes import Processes, check_importable
from analysis_worker.settings import Settings

InputT = TypeVar("InputT", bound=BaseModel)
ResultT = TypeVar("ResultT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Handler(Generic[InputT, ResultT]):
    """`run` gets the parsed input and returns the result, or raises one of the HandlerErrors."""

    type: str
    input: builtins.type[InputT]
    result: builtins.type[ResultT]
    run: Callable[[InputT, JobContext], Awaitable[ResultT]]
    concurrency: int | None = None

    async def call(self, input: InputT, context: JobContext, processes: Processes) -> object:
        del processes
        return await self.run(input, context)


@dataclass(frozen=True, slots=True)
class ThreadHandler(Generic[InputT, ResultT]):
    """A thread cannot be stopped: when the job ends early, `run` goes on unheard, so it should not run long.

    `context.report_progress_from_thread` reports from inside.
    """

    type: str
    input: builtins.type[InputT]
    result: builtins.type[ResultT]
    run: Callable[[InputT, JobContext], ResultT]
    concurrency: int | None = None

    async def call(self, input: InputT, context: JobContext, processes: Processes) -> object:
        del processes
        own_slot = anyio.CapacityLimiter(1)  # the worker's slots are the limit; threads left behind take none
        return await anyio.to_thread.run_sync(self.run, input, context, abandon_on_cancel=True, limiter=own_slot)


@dataclass(frozen=True, slots=True)
class ProcessHandler(Generic[InputT, ResultT]):
    """`run` is found by its name in the other process, so it and its input model are defined in modules.

    Raises ValueError where they are not.
    """

    type: str
    input: builtins.type[InputT]
    result: builtins.type[ResultT]
    run: Callable[[InputT], ResultT]
    concurrency: int | None = None

    def __post_init__(self) -> None:
        check_importable(self.run)
        check_importable(self.input)

    async def call(self, input: InputT, context: JobContext, processes: Processes) -> object:
        del context
        return await processes.call(self.run, input)


AnyHandler: TypeAlias = Handler[Any, Any] | ThreadHandler[Any, Any] | ProcessHandler[Any, Any]
App: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Iterable[AnyHandler]]]
"""An application: opens what its handlers need, yields them, and closes it again."""


def by_type(handlers: Iterable[AnyHandler]) -> Mapping[str, AnyHandler]:
    """Handlers by job type. Raises ValueError where two claim the same type."""
    found: dict[str, AnyHandler] = {}
    for handler in handlers:
        if handler.type in found:
            raise ValueError(f"two handlers for job type {handler.type!r}")
        found[handler.type] = handler
    return found
