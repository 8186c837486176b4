"""What a handler is given besides its input."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio.from_thread

from analysis_worker.jobs import Job

if TYPE_CHECKING:
    from loguru import Logger


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt, seen from inside. Deadline, cancel by the user and a lost lease arrive as anyio's cancellation."""

    job: Job
    deadline: float
    """When the attempt has to be over, on the clock of `anyio.current_time()` (seconds)."""
    log: Logger
    report_progress: Callable[[float, str], Coroutine[Any, Any, None]]
    """`await report_progress(progress, phase)`: 0..1 and a word the user may see. Never fails an attempt.

    Reports that follow each other quickly are one: the latest, unless the phase is new.
    """

    save_checkpoint: Callable[[Any], Coroutine[Any, Any, None]]
    """`await save_checkpoint(data)`: JSON that the next attempt, if there is one, finds in `job.checkpoint`."""

    def report_progress_from_thread(self, progress: float, phase: str) -> None:
        """The same for a `ThreadHandler`."""
        anyio.from_thread.run(self.report_progress, progress, phase)
