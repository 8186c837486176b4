"""What a handler is given besides its input."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import anyio.from_thread

from analysis_worker.jobs import Job
from analysis_worker.outcomes import Usage

if TYPE_CHECKING:
    from loguru import Logger


class ReportProgress(Protocol):
    async def __call__(self, progress: float, phase: str, partial: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt, seen from inside. Deadline, cancel by the user and a lost lease arrive as anyio's cancellation."""

    job: Job
    deadline: float
    """When the attempt has to be over, on the clock of `anyio.current_time()` (seconds)."""
    log: Logger
    report_progress: ReportProgress
    """`await report_progress(progress, phase, partial)`: 0..1, a word the user may see, and what can be read of the
    result so far (at most 16384 characters are kept). Never fails an attempt.

    One that follows another of the same phase within half a second is left out.
    """

    save_checkpoint: Callable[[Any], Coroutine[Any, Any, None]]
    """`await save_checkpoint(data)`: JSON that the next attempt, if there is one, finds in `job.checkpoint`."""

    add_usage: Callable[[Usage], None]
    """What the attempt used, kept with it whatever its outcome. Numbers are added up over the attempt; of anything else
    the last stays. `cost_micro_usd`, a whole number of millionths of a dollar, is what budgets count."""

    def report_progress_from_thread(self, progress: float, phase: str, partial: str | None = None) -> None:
        """The same for a `ThreadHandler`."""
        anyio.from_thread.run(self.report_progress, progress, phase, partial)
