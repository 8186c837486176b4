"""What workers run under load: jobs of the type `load`, which take about half a second and do nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import anyio
from pydantic import BaseModel

from analysis_worker import AnyHandler, Handler, JobContext, Settings

TYPE = "load"


class Nap(BaseModel):
    """A job that takes about `seconds`; `number` only tells it from others."""

    seconds: float = 0.5
    number: int = 0


class Slept(BaseModel):
    seconds: float


async def nap(nap: Nap, context: JobContext) -> Slept:
    del context
    seconds = nap.seconds * random.uniform(0.5, 1.5)
    await anyio.sleep(seconds)
    return Slept(seconds=seconds)


@asynccontextmanager
async def app(settings: Settings) -> AsyncIterator[Iterable[AnyHandler]]:
    del settings
    yield [Handler(type=TYPE, input=Nap, result=Slept, run=nap)]
