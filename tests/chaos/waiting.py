"""Waiting for what another process does: until it is so, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_LOOK_EVERY_S = 0.05
_T = TypeVar("_T")


def wait_until(what: str, look: Callable[[], _T], within_s: float) -> _T:
    """What `look` returns as soon as it is true."""
    give_up_at = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < give_up_at, f"not within {within_s:g} s: {what}"
        time.sleep(_LOOK_EVERY_S)
    return found
