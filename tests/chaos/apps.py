"""The application of workers under chaos: short naps, each start written to a file."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
from pydantic import BaseModel

from analysis_worker import Handler, JobContext, Settings
from analysis_worker.handlers import AnyHandler

TYPE = "chaos"
EXECUTIONS = "CHAOS_EXECUTIONS"
"""The environment variable that names the file of executions: a line of job id, lease id and process id for each."""


CLOCK = "CHAOS_CLOCK"
"""The environment variable that names a file: by how many seconds the wall clock of workers is wrong."""


def jump_with(clock: Path) -> None:
    """From now on `time.time` of this process is off by what the file says."""
    right = time.time

    def wrong() -> float:
        try:
            return right() + float(clock.read_text())
        except (OSError, ValueError):
            return right()

    time.time = wrong


class Nap(BaseModel):
    """A job that takes about `seconds`; `filler` makes it large and comes back, `swell` only makes its result large."""

    seconds: float = 0.02
    filler: str = ""
    swell: int = 0


class Slept(BaseModel):
    """By which lease it was done, so that a row tells whose result it keeps."""

    lease_id: str
    filler: str


async def nap(executions: Path, nap: Nap, context: JobContext) -> Slept:
    lease = context.job.lease
    with executions.open("a") as file:
        file.write(f"{lease.job_id} {lease.lease_id} {os.getpid()}\n")
    await anyio.sleep(nap.seconds * random.uniform(0.5, 1.5))
    return Slept(lease_id=str(lease.lease_id), filler=nap.filler + "x" * nap.swell)


@asynccontextmanager
async def app(settings: Settings) -> AsyncIterator[Iterable[AnyHandler]]:
    del settings
    if CLOCK in os.environ:
        jump_with(Path(os.environ[CLOCK]))
    yield [Handler(type=TYPE, input=Nap, result=Slept, run=partial(nap, Path(os.environ[EXECUTIONS])))]
