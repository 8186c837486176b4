"""Tells the queue what came of attempts: at once while it is at leisure, together what gathers while it is not."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

import anyio
from anyio.abc import TaskGroup

from analysis_worker.backoff import Backoff
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError
from analysis_worker.jobs import Lease
from analysis_worker.outcomes import Completed, Failed, Outcome, Settlement
from analysis_worker.ports import JobStore
from analysis_worker.settle import outcome_of_refused_result

if TYPE_CHECKING:
    from loguru import Logger

_CALLS = 2
_OUTCOMES_PER_CALL = 50
_BYTES_PER_CALL = 2**20  # of results, unless one alone is larger; a call that takes too long is sent again as it was
_SETTLE_BACKOFF = Backoff(first=0.5, cap=8.0)

_Answer: TypeAlias = Settlement | StoreRejectedError | StoreUnavailableError


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    lease: Lease
    outcome: Outcome
    size: int
    answer: asyncio.Future[_Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def hear(self, answer: _Answer) -> None:
        """Whoever asked may have gone."""
        if not self.answer.done():
            self.answer.set_result(answer)


class Settlements:
    """Sends outcomes in calls of which only a few are in flight; each outcome is answered for itself."""

    def __init__(self, group: TaskGroup, store: JobStore) -> None:
        self._group = group
        self._store = store
        self._gathered: list[_Told] = []
        self._calls: list[anyio.CancelScope] = []

    async def settle(self, lease: Lease, outcome: Outcome, log: Logger) -> tuple[Outcome, Settlement | None]:
        """Tell the queue until it answers: the work is done and paid for.

        What it was told in the end, and its answer: None where it refused.
        """
        failures = 0
        while True:
            match await self._tell(lease, outcome):
                case Settlement() as settlement:
                    _log_settlement(settlement, outcome, log)
                    # The lost answer may have said that there is a next one; the repetition does not.
                    return outcome, replace(settlement, has_next=settlement.has_next or failures > 0)
                case StoreUnavailableError() as error:
                    failures += 1
                    log.warning("settlement not answered, sending again", error=str(error))
                    await anyio.sleep(_SETTLE_BACKOFF.delay(failures, random.random))
                case StoreRejectedError() as error:
                    log.error("settlement refused", error=str(error))
                    if not isinstance(outcome, Completed):
                        return outcome, None
                    outcome = outcome_of_refused_result(error)

    def abandon(self) -> None:
        """Give up the calls in flight."""
        for call in self._calls:
            call.cancel()

    async def _tell(self, lease: Lease, outcome: Outcome) -> _Answer:
        told = _Told(lease, outcome, _size_of(outcome))
        self._gathered.append(told)
        if len(self._calls) < _CALLS:
            call = anyio.CancelScope(shield=True)
            self._calls.append(call)
            self._group.start_soon(self._send, call)
        return await told.answer

    async def _send(self, call: anyio.CancelScope) -> None:
        """One call after the other, until nothing has gathered."""
        with call:
            while together := self._take_gathered():
                await self._ask(together)
        self._calls.remove(call)

    def _take_gathered(self) -> Sequence[_Told]:
        """Those that somebody still waits for, as many as one call carries."""
        waiting = [told for told in self._gathered if not told.answer.done()]
        sizes = accumulate(told.size for told in waiting[:_OUTCOMES_PER_CALL])
        count = max(1, sum(size <= _BYTES_PER_CALL for size in sizes))
        self._gathered = waiting[count:]
        return waiting[:count]

    async def _ask(self, together: Sequence[_Told]) -> None:
        """Where the queue refuses outcomes as a whole, each is asked for alone: one of them spoils the others."""
        try:
            answers = await self._store.settle({told.lease: told.outcome for told in together})
        except StoreUnavailableError as error:
            for told in together:
                told.hear(error)
        except StoreRejectedError as error:
            if len(together) == 1:
                together[0].hear(error)
                return
            for told in together:
                await self._ask([told])
        else:
            for told in together:
                told.hear(answers[told.lease])


def _size_of(outcome: Outcome) -> int:
    """About how many bytes it has; only results are large."""
    return len(json.dumps(outcome.result)) if isinstance(outcome, Completed) else 0


def _log_settlement(settlement: Settlement, outcome: Outcome, log: Logger) -> None:
    if not settlement.lease_held:
        log.warning("lease lost before settling", status=settlement.status)
        return
    reason = {"code": outcome.code} if isinstance(outcome, Failed) else {}
    log.info("settled", status=settlement.status, retry_in_seconds=settlement.retry_in_seconds, **reason)
