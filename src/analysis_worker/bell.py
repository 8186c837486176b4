"""The bell between those who notice work and the dispatcher who fetches it."""

from __future__ import annotations

import anyio

from analysis_worker.wakes import WakeReason


class Bell:
    """Any number of rings before the dispatcher looks are one ring, under the first ring's reason."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._reason: WakeReason | None = None

    def ring(self, reason: WakeReason) -> None:
        if self._reason is None:
            self._reason = reason
        self._event.set()

    def nudge(self) -> None:
        """End the wait without a reason: its patience has changed."""
        self._event.set()

    async def wait(self, patience_seconds: float | None) -> WakeReason | None:
        """The reason of the first ring since the last call, SWEEP when patience ran out, None after a mere nudge.

        The bell is silent again when this returns, so a ring during the claim that follows is not lost.
        """
        with anyio.move_on_after(patience_seconds) as scope:
            await self._event.wait()
        reason = WakeReason.SWEEP if scope.cancelled_caught and self._reason is None else self._reason
        self._event = anyio.Event()
        self._reason = None
        return reason
