"""A circuit breaker: a provider that is down is not asked by every job in turn."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto


class _State(Enum):
    CLOSED = auto()
    OPEN = auto()
    PROBING = auto()


class CircuitBreaker:
    """Opens after `failures` in a row; from `open_seconds` later on, one call at a time may try whether it is back.

    Who was admitted reports exactly one of `succeeded`, `failed`, `left`.
    """

    def __init__(self, clock: Callable[[], float], failures: int, open_seconds: float) -> None:
        self._clock = clock
        self._allowed = failures
        self._open_seconds = open_seconds
        self._state = _State.CLOSED
        self._failures = 0
        self._opened_at = 0.0

    def admits(self) -> bool:
        """Whether to call now. Half-open, the first who asks is the probe and nobody else is admitted."""
        match self._state:
            case _State.CLOSED:
                return True
            case _State.OPEN if self.seconds_until_probe() == 0:
                self._state = _State.PROBING
                return True
            case _:
                return False

    def seconds_until_probe(self) -> float:
        """0 while closed; the whole time while a probe is under way, because its verdict may be bad."""
        match self._state:
            case _State.CLOSED:
                return 0.0
            case _State.PROBING:
                return self._open_seconds
            case _State.OPEN:
                return max(0.0, self._opened_at + self._open_seconds - self._clock())

    def succeeded(self) -> None:
        """It answered, whatever it said."""
        self._state = _State.CLOSED
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._state is not _State.CLOSED or self._failures >= self._allowed:
            self._state = _State.OPEN
            self._opened_at = self._clock()

    def left(self) -> None:
        """The call ended without a verdict (cancelled): a probe is given back, to be taken at once."""
        if self._state is _State.PROBING:
            self._state = _State.OPEN
            self._opened_at = self._clock() - self._open_seconds
