"""What a handler is given besides its input."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_worker.jobs import Job

if TYPE_CHECKING:
    from loguru import Logger


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt, seen from inside. Deadline, cancel by the user and a lost lease arrive as anyio's cancellation."""

    job: Job
    log: Logger
    report_progress: Callable[[float, str], Awaitable[None]]
    """`await report_progress(progress, phase)`: 0..1 and a word the user may see. Never fails an attempt."""
