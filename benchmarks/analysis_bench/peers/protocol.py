"""What every system has to offer, and the handler that is the same for all of them.

A worker process writes a line to a file of its own whenever something happens to a job: `s` its handler starts, `e` it
ends, `c` it is cancelled, each with the job's key and the time of the machine's clock.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Job:
    """`seconds` is how long its handler sleeps. `user` counts where a system knows users."""

    key: int
    seconds: float = 0.0
    user: int = 0

    @property
    def payload(self) -> dict[str, float]:
        return {"key": self.key, "seconds": self.seconds}


Run = Callable[[int, float], Awaitable[None]]
"""The handler; gets the key and the seconds of a job."""


class Producer(Protocol):
    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Commit one job, or many in the quickest way there is, and return their ids in the same order."""

    async def cancel(self, job_id: str) -> None:
        """Ask for the end of a job that runs, where its handler is interrupted."""


class Peer(Protocol):
    async def install(self) -> None:
        """Make the schema in an empty database."""

    def producing(self) -> AbstractAsyncContextManager[Producer]: ...

    async def work(self, concurrency: int, run: Run) -> None:
        """Be a worker until killed."""


class Recorder:
    """One line is one write, so that nothing is lost when the process is killed."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / str(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, what: str, key: object) -> None:
        os.write(self._file, f"{what} {key} {time.time():.6f}\n".encode())

    async def run(self, key: int, seconds: float) -> None:
        self.note("s", key)
        if not seconds:
            return
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.note("c", key)
            raise
        self.note("e", key)
