"""What an application registers: for each job type its models and the function that does the work."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel

from analysis_worker.context import JobContext
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


AnyHandler: TypeAlias = Handler[Any, Any]
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
