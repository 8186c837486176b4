"""What an attempt tells before its end: how far it is, what it has used, what the next attempt should know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import anyio

from analysis_worker.errors import StoreError
from analysis_worker.flow import Throttle
from analysis_worker.jobs import Lease
from analysis_worker.outcomes import Usage, sum_of_usage
from analysis_worker.ports import JobStore

if TYPE_CHECKING:
    from loguru import Logger

_PROGRESS_SECONDS = 0.5


class Reports:
    """Of one attempt. What does not arrive is only logged: none of it is worth an attempt."""

    def __init__(self, store: JobStore, lease: Lease, on_lost: Callable[[], None], log: Logger) -> None:
        self.usage: Usage | None = None
        self._store = store
        self._lease = lease
        self._on_lost = on_lost
        self._log = log
        self._throttle = Throttle(_PROGRESS_SECONDS)

    async def report_progress(self, progress: float, phase: str, partial: str | None = None) -> None:
        if self._throttle.passes(anyio.current_time(), phase):
            await self._tell(self._store.report_progress(self._lease, progress, phase, partial))

    async def save_checkpoint(self, data: Any) -> None:
        await self._tell(self._store.save_checkpoint(self._lease, data))

    def add_usage(self, usage: Usage) -> None:
        self.usage = sum_of_usage(self.usage or {}, usage)

    async def _tell(self, write: Awaitable[bool]) -> None:
        try:
            if not await write:
                self._on_lost()
        except StoreError as error:
            self._log.warning("not written", error=str(error))
