"""How long to wait before trying again. Pure: the caller brings the randomness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_LARGEST_EXPONENT = 30


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential with equal jitter: half of the delay is sure, half is drawn. Seconds."""

    first: float
    cap: float

    def delay(self, failures: int, draw: Callable[[], float]) -> float:
        """The wait after `failures` (>= 1) in a row; `draw` gives numbers in [0, 1)."""
        full = min(self.cap, self.first * 2.0 ** min(failures - 1, _LARGEST_EXPONENT))
        return full / 2 + full / 2 * draw()
