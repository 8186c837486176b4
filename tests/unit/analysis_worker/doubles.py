"""Doubles for the engine's surroundings: a clock, a store whose answers can get lost, handlers that obey."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
from pydantic import BaseModel

from analysis_worker import Handler, JobContext
from analysis_worker.adapters.memory import MemoryJobStore
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError
from analysis_worker.jobs import Job, JobStatus, Lease
from analysis_worker.outcomes import Completed, Failed, Outcome, Reconciliation, Settlement
from analysis_worker.ports import Listener
from analysis_worker.wakes import ListenerState, WakeReason

WAIT_SECONDS = 5.0


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class LossyStore(MemoryJobStore):
    """Does what it is asked, then loses the answer as often as `lost_answers` says for that method."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.lost_answers: dict[str, int] = {}
        self.refused_results: str | None = None
        self.claims: list[UUID] = []
        self.one_at_a_time = False
        self.may_answer = anyio.Event()
        self.may_answer.set()
        self.settled_together: list[int] = []
        self.may_settle = anyio.Event()
        self.may_settle.set()
        self.spoils_calls = False
        self.heartbeats = 0
        self.reconciliations = 0

    async def claim(self, worker_id: str, lease_id: UUID, types: Collection[str], max_jobs: int) -> Sequence[Job]:
        self.claims.append(lease_id)
        is_full = self.one_at_a_time and any(job.status is JobStatus.PROCESSING for job in self.jobs.values())
        jobs = await super().claim(worker_id, lease_id, [] if is_full else types, 1 if self.one_at_a_time else max_jobs)
        await self.may_answer.wait()
        self._lose("claim")
        return jobs

    async def settle(self, outcomes: Mapping[Lease, Outcome]) -> Mapping[Lease, Settlement | StoreRejectedError]:
        self.settled_together.append(len(outcomes))
        await self.may_settle.wait()
        if self.spoils_calls and len(outcomes) > 1:
            raise StoreRejectedError("PGRST102", "one of them is no JSON")
        refused = self.refused_results
        answers = {
            lease: StoreRejectedError(refused, "no room")
            if refused is not None and isinstance(outcome, Completed)
            else replace(self._settle(lease, outcome), has_next=self.one_at_a_time)
            for lease, outcome in outcomes.items()
        }
        self._lose("settle")
        return answers

    async def heartbeat(self, worker_id: str, lease_seconds: float, held: Collection[Lease]) -> Collection[Lease]:
        self.heartbeats += 1
        return await super().heartbeat(worker_id, lease_seconds, held)

    async def reconcile(self) -> Reconciliation:
        self.reconciliations += 1
        return await super().reconcile()

    def rescue(self, job_id: UUID) -> None:
        """Take the job from its worker, at once."""
        self._fail(self.jobs[job_id], Failed("worker_lost", "gone", retryable=True, delay_seconds=0), "lost")

    def _lose(self, method: str) -> None:
        if self.lost_answers.get(method, 0) > 0:
            self.lost_answers[method] -= 1
            raise StoreUnavailableError(f"{method}: answer lost")


@dataclass
class ScriptedWakeSource:
    """Rings when the test says so."""

    state: ListenerState = ListenerState.READY
    ready_seconds: float = 0.0
    distrusted: int = 0
    listener: Listener | None = None
    listening: anyio.Event = field(default_factory=anyio.Event)

    def distrust(self) -> None:
        self.distrusted += 1

    async def run(self, listener: Listener) -> None:
        self.listener = listener
        self.listening.set()
        await anyio.sleep_forever()

    def ring(self, reason: WakeReason, job_id: UUID | None = None, due_in_seconds: float = 0.0) -> None:
        assert self.listener is not None
        self.listener.woken(reason, job_id, due_in_seconds)


class Number(BaseModel):
    n: int


Run = Callable[[Number, JobContext], Any]


def handler_of(run: Run, type: str = "double", concurrency: int | None = None) -> Handler[Number, Number]:
    return Handler(type=type, input=Number, result=Number, run=run, concurrency=concurrency)


async def double(number: Number, _: JobContext) -> Number:
    return Number(n=number.n * 2)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait, bounded, until the condition holds."""
    with anyio.fail_after(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - any condition, no event of its own
            await anyio.sleep(0.001)
