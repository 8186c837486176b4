"""Failed attempts to sign in, counted by where they come from. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

_MOST_PLACES = 1000


class Throttle:
    """Refuses a place that failed `most` times within `seconds`, until the first of them is that long ago."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def is_open(self, place: str) -> bool:
        return len(self._recent(place)) < self._most

    def note_failure(self, place: str) -> None:
        self._failures[place] = [*self._recent(place), self._clock()]
        self._failures.move_to_end(place)
        while len(self._failures) > _MOST_PLACES:
            self._failures.popitem(last=False)

    def _recent(self, place: str) -> list[float]:
        since = self._clock() - self._seconds
        return [moment for moment in self._failures.get(place, ()) if moment > since]
