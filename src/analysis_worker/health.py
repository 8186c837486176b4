"""What the probes are told: whether the worker lives, has started, and may be given work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis_worker.observer import Answer, Observer
from analysis_worker.wakes import ListenerState

TICK_PATIENCE_SECONDS = 15.0
OK, UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True)
class Report:
    """`status` is HTTP's."""

    status: int
    body: Mapping[str, Any]


class Vitals(Observer):
    """Keeps the last signs of life."""

    def __init__(self, clock: Callable[[], float], patience_seconds: float, listener: ListenerState | None) -> None:
        """A queue that has not answered for `patience_seconds` is unreachable. No `listener`: there is to be none."""
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._listener = listener
        self._ticked_at: float | None = None
        self._answered_at: float | None = None
        self._is_draining = False

    def loop_ticked(self, lag_seconds: float) -> None:
        del lag_seconds
        self._ticked_at = self._clock()

    def called(self, function: str, answer: Answer, seconds: float) -> None:
        """A queue that refuses is there, but for all this worker gets done it might as well not be."""
        del function, seconds
        if answer is Answer.ANSWERED:
            self._answered_at = self._clock()

    def listener_entered(self, state: ListenerState) -> None:
        self._listener = state

    def drain_began(self) -> None:
        self._is_draining = True

    def live(self) -> Report:
        """A loop that is blocked does not get to answer at all; this finds one in which the worker has died."""
        silent = self._seconds_since(self._ticked_at)
        if silent is not None and silent > TICK_PATIENCE_SECONDS:
            return Report(UNAVAILABLE, {"status": "stuck", "seconds_since_tick": silent})
        return Report(OK, {"status": "live"})

    def startup(self) -> Report:
        if self._answered_at is None:
            return Report(UNAVAILABLE, {"status": "starting"})
        return Report(OK, {"status": "started"})

    def ready(self) -> Report:
        status = self._status()
        answered = self._seconds_since(self._answered_at)
        body = {"status": status, "listener": self._listener or "off", "seconds_since_queue_answered": answered}
        return Report(OK if status in {"ready", "degraded"} else UNAVAILABLE, body)

    def _status(self) -> str:
        answered = self._seconds_since(self._answered_at)
        if self._is_draining:
            return "draining"
        if answered is None:
            return "starting"
        if answered > self._patience_seconds:
            return "unreachable"
        return "ready" if self._listener in {None, ListenerState.READY} else "degraded"

    def _seconds_since(self, moment: float | None) -> float | None:
        return None if moment is None else round(self._clock() - moment, 1)
