"""A small application for workers under test: jobs that wait at a gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from pydantic import BaseModel

from analysis_worker import Handler, JobContext, Settings
from analysis_worker.handlers import AnyHandler

TYPE = "gated"


class Gate(BaseModel):
    """A job that ends as soon as a file exists."""

    path: Path


class Passed(BaseModel):
    attempt: int


async def wait_at(gate: Gate, context: JobContext) -> Passed:
    while not gate.path.exists():  # noqa: ASYNC110 - another process opens the gate
        await anyio.sleep(0.01)
    return Passed(attempt=context.job.attempt)


@asynccontextmanager
async def app(settings: Settings) -> AsyncIterator[Iterable[AnyHandler]]:
    yield [Handler(type=TYPE, input=Gate, result=Passed, run=wait_at)]
