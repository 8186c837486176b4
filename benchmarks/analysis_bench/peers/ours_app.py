"""The application of our workers, which are the real ones, started by their own command."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import BaseModel

from analysis_bench.peers.protocol import Recorder
from analysis_worker import Handler, JobContext, Settings
from analysis_worker.handlers import AnyHandler


class Sleep(BaseModel):
    key: int
    seconds: float


class Slept(BaseModel):
    pass


@asynccontextmanager
async def app(settings: Settings) -> AsyncIterator[Iterable[AnyHandler]]:
    del settings
    recorder = Recorder(Path(os.environ["BENCH_RECORDS"]))

    async def run(input: Sleep, context: JobContext) -> Slept:
        del context
        await recorder.run(input.key, input.seconds)
        return Slept()

    yield [Handler(type="bench", input=Sleep, result=Slept, run=run)]
