"""Outcomes on their way to the queue: at once or together, each answered for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import anyio
import pytest
from loguru import logger

from analysis_worker import JobStatus
from analysis_worker.jobs import Job
from analysis_worker.outcomes import Completed, Failed, Outcome, Settlement
from analysis_worker.settlements import Settlements
from tests.unit.analysis_worker.doubles import LossyStore

pytestmark = pytest.mark.anyio

DONE = Completed({"n": 2})
SETTLED = Settlement(JobStatus.COMPLETED, lease_held=True)
Answers = list[tuple[Outcome, Settlement | None]]


class Settling:
    """Outcomes of jobs, told side by side."""

    def __init__(self, store: LossyStore, group: anyio.abc.TaskGroup, settlements: Settlements) -> None:
        self.store = store
        self.group = group
        self.settlements = settlements
        self.answers: Answers = []

    async def claim(self, count: int) -> list[Job]:
        for n in range(count):
            self.store.enqueue("double", {"n": n})
        return list(await self.store.claim("w1", uuid4(), ["double"], count))

    async def tell(self, jobs: list[Job], outcome: Outcome = DONE) -> None:
        """Returns when nothing moves any more."""
        for job in jobs:
            self.group.start_soon(self._tell, job, outcome)
        await anyio.wait_all_tasks_blocked()

    async def _tell(self, job: Job, outcome: Outcome) -> None:
        self.answers.append(await self.settlements.settle(job.lease, outcome, logger))


@asynccontextmanager
async def settling(store: LossyStore) -> AsyncIterator[Settling]:
    async with anyio.create_task_group() as group:
        yield Settling(store, group, Settlements(group, store))


async def test_outcomes_of_the_same_moment_go_together(store: LossyStore) -> None:
    async with settling(store) as told:
        await told.tell(await told.claim(30))
    assert store.settled_together == [30]
    assert told.answers == [(DONE, SETTLED)] * 30


async def test_an_outcome_that_comes_while_a_call_is_in_flight_does_not_wait_for_it(store: LossyStore) -> None:
    async with settling(store) as told:
        first, second = await told.claim(2)
        store.may_settle = anyio.Event()
        await told.tell([first])
        await told.tell([second])
        assert store.settled_together == [1, 1]
        store.may_settle.set()


async def test_what_comes_while_two_calls_are_in_flight_gathers_for_the_next(store: LossyStore) -> None:
    async with settling(store) as told:
        jobs = await told.claim(9)
        store.may_settle = anyio.Event()
        for job in jobs:
            await told.tell([job])
        assert store.settled_together == [1, 1]
        store.may_settle.set()
    assert store.settled_together == [1, 1, 7]
    assert told.answers == [(DONE, SETTLED)] * 9


async def test_a_call_carries_fifty_at_most(store: LossyStore) -> None:
    async with settling(store) as told:
        await told.tell(await told.claim(120))
    assert store.settled_together == [50, 50, 20]


async def test_a_call_carries_large_results_up_to_a_mebibyte(store: LossyStore) -> None:
    async with settling(store) as told:
        jobs = await told.claim(7)
        await told.tell(jobs[:5], Completed({"text": "x" * 400_000}))
        await told.tell(jobs[5:], Completed({"text": "x" * 2_000_000}))
    assert store.settled_together == [2, 2, 1, 1, 1]
    assert [settlement for _, settlement in told.answers] == [SETTLED] * 7


async def test_an_answer_that_is_lost_is_asked_for_again_and_counts_once(store: LossyStore) -> None:
    store.lost_answers = {"settle": 2}
    async with settling(store) as told:
        await told.tell(await told.claim(3))
    assert told.answers == [(DONE, replace(SETTLED, has_next=True))] * 3
    assert [len(job.ended) for job in store.jobs.values()] == [1, 1, 1]


async def test_a_refused_outcome_harms_no_other(store: LossyStore) -> None:
    store.refused_results = "PT413"
    failure = Failed("x", "y", retryable=False)
    async with settling(store) as told:
        large, failed = await told.claim(2)
        told.group.start_soon(told.tell, [large])
        await told.tell([failed], failure)
    assert store.settled_together[0] == 2
    assert {store.jobs[job.id].error["code"] for job in (large, failed)} == {"result_refused", "x"}  # type: ignore[index]


async def test_one_that_spoils_the_call_does_not_spoil_the_others(store: LossyStore) -> None:
    store.spoils_calls = True
    async with settling(store) as told:
        await told.tell(await told.claim(3))
    assert store.settled_together == [3, 1, 1, 1]
    assert told.answers == [(DONE, SETTLED)] * 3


async def test_what_is_abandoned_before_it_is_sent_stays_unsent(store: LossyStore) -> None:
    async with settling(store) as told:
        in_flight, given_up = await told.claim(3), anyio.CancelScope()
        store.may_settle = anyio.Event()
        for job in in_flight[:2]:
            await told.tell([job])
        with given_up:
            given_up.cancel()
            await told.settlements.settle(in_flight[2].lease, DONE, logger)
        store.may_settle.set()
    assert given_up.cancelled_caught
    assert store.settled_together == [1, 1]
    assert store.jobs[in_flight[2].id].status is JobStatus.PROCESSING


async def test_calls_in_flight_outlive_a_cancelled_worker_until_they_are_abandoned(store: LossyStore) -> None:
    async with settling(store) as told:
        (job,) = await told.claim(1)
        store.may_settle = anyio.Event()

        async def shielded() -> None:
            with anyio.CancelScope(shield=True):
                await told._tell(job, DONE)

        told.group.start_soon(shielded)
        await anyio.wait_all_tasks_blocked()
        told.group.cancel_scope.cancel()
        store.may_settle.set()
    assert told.answers == [(DONE, SETTLED)]
