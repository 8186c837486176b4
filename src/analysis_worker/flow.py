"""When to look at the queue although nobody rang. Pure."""

from __future__ import annotations

from analysis_worker.wakes import ListenerState


def patience(state: ListenerState, poll_seconds: float, next_due_seconds: float | None) -> float | None:
    """Seconds to wait for the bell before looking anyway, None for as long as it takes.

    A listener that is not ready can miss rows, so the queue is polled meanwhile; a job that becomes due rings nothing.
    """
    limits = [] if state is ListenerState.READY else [poll_seconds]
    if next_due_seconds is not None:
        limits.append(max(0.0, next_due_seconds))
    return min(limits, default=None)
