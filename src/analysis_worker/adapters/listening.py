"""What listeners have in common: a state that is watched, and hints that may say less than they should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import anyio
from loguru import logger

from analysis_worker.observer import Observer
from analysis_worker.wakes import ListenerState


class Readiness:
    """A listener's state and for how long it has been ready, told to whoever watches."""

    def __init__(self, name: str, observer: Observer) -> None:
        self.state = ListenerState.CONNECTING
        self._name = name
        self._observer = observer
        self._ready_at: float | None = None

    @property
    def seconds(self) -> float:
        """0 while it is not ready."""
        return 0.0 if self._ready_at is None else anyio.current_time() - self._ready_at

    def enter(self, state: ListenerState) -> None:
        """Ready again counts from now: what was announced before may be lost."""
        self._ready_at = anyio.current_time() if state is ListenerState.READY else None
        if state is not self.state:
            self.state = state
            self._observer.listener_entered(state)
            logger.info(self._name, state=state.value)


def id_in(message: Any, *path: str) -> UUID | None:
    """The id at `path`, None where there is none: a row can arrive without columns that its reader may not see."""
    try:
        return UUID(_at(message, path))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def seconds_in(message: Any, *path: str) -> float:
    """The positive number at `path`, 0 where there is none."""
    try:
        seconds = float(_at(message, path))
    except (KeyError, TypeError, ValueError):
        return 0.0
    return seconds if 0 < seconds < float("inf") else 0.0


def _at(message: Any, path: Sequence[str]) -> Any:
    for name in path:
        message = message[name]
    return message
