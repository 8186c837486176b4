"""Which models want to be left alone, for all jobs of a worker."""

from __future__ import annotations

from collections.abc import Callable


class Cooldowns:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[tuple[str, str], float] = {}

    def start(self, provider: str, model: str, seconds: float) -> None:
        """A shorter one does not end a longer one."""
        end = self._clock() + seconds
        self._ends[provider, model] = max(end, self._ends.get((provider, model), end))

    def remaining(self, provider: str, model: str) -> float:
        """Seconds, 0 where there is none."""
        return max(0.0, self._ends.get((provider, model), 0.0) - self._clock())
