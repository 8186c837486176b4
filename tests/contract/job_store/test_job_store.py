"""What every JobStore promises, asked of each of them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import anyio
import pytest

from analysis_worker import JobStatus
from analysis_worker.errors import StoreRejectedError
from analysis_worker.jobs import Job, Lease
from analysis_worker.outcomes import Completed, Deferred, Failed, Outcome, Released, Settlement
from tests.contract.job_store.queues import TYPE, MemoryQueue, Queue, postgres_queue, postgrest_queue
from tests.databases import Databases, as_worker

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "postgrest", "postgres"])
async def queue(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Queue]:
    if request.param == "memory":
        yield MemoryQueue()
        return
    with databases.copied("migrated") as name:
        url = databases.url(name)
        if request.param == "postgrest":
            async with postgrest_queue(url, databases.url(name, "authenticator")) as served:
                yield served
        else:
            async with postgres_queue(url, as_worker(url)) as asked:
                yield asked


async def claim(queue: Queue, max_jobs: int = 1, worker: str = "w1", lease_id: UUID | None = None) -> list[Job]:
    return list(await queue.store.claim(worker, lease_id or uuid4(), [TYPE], max_jobs))


async def claim_one(queue: Queue, worker: str = "w1") -> Job:
    (job,) = await claim(queue, worker=worker)
    return job


async def settle(queue: Queue, lease: Lease, outcome: Outcome) -> Settlement:
    answers = await queue.store.settle({lease: outcome})
    settlement = answers[lease]
    assert isinstance(settlement, Settlement)
    return settlement


async def status(queue: Queue, job_id: UUID) -> tuple[str, int]:
    row = await queue.row(job_id)
    return row["status"], row["attempt"]


async def test_a_claim_takes_no_more_than_asked_for_and_the_oldest_first(queue: Queue) -> None:
    ids = [await queue.enqueue() for _ in range(3)]
    assert [job.id for job in await claim(queue, 2)] == ids[:2]
    assert [job.id for job in await claim(queue, 2)] == ids[2:]
    assert await claim(queue, 2) == []


async def test_a_claimed_job_says_what_its_handler_needs(queue: Queue) -> None:
    job_id = await queue.enqueue(max_attempts=5)
    lease_id = uuid4()
    (job,) = await claim(queue, lease_id=lease_id)
    assert (job.id, job.type, job.input, job.attempt, job.max_attempts) == (job_id, TYPE, {"n": 1}, 1, 5)
    assert job.timeout_seconds == 60
    assert job.lease == Lease(job_id, lease_id)


async def test_types_not_asked_for_are_left_alone(queue: Queue) -> None:
    job_id = await queue.enqueue()
    assert list(await queue.store.claim("w1", uuid4(), ["another"], 1)) == []
    assert await status(queue, job_id) == ("pending", 0)


async def test_the_same_lease_again_returns_what_it_holds_and_claims_nothing_more(queue: Queue) -> None:
    first, second = await queue.enqueue(), await queue.enqueue()
    lease_id = uuid4()
    before = await claim(queue, lease_id=lease_id)
    assert await claim(queue, 5, lease_id=lease_id) == before
    assert [job.id for job in before] == [first]
    assert await status(queue, second) == ("pending", 0)


async def test_a_lease_whose_jobs_are_settled_claims_nothing_ever_again(queue: Queue) -> None:
    await queue.enqueue()
    lease_id = uuid4()
    (job,) = await claim(queue, lease_id=lease_id)
    await settle(queue, job.lease, Completed({"n": 2}))
    other = await queue.enqueue()
    assert await claim(queue, lease_id=lease_id) == []
    assert await status(queue, other) == ("pending", 0)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Completed({"n": 2}), ("completed", 1)),
        (Failed("x", "y", retryable=False), ("failed", 1)),
        (Failed("x", "y", retryable=True, delay_seconds=60), ("pending", 1)),
        (Deferred(60, "cool_down"), ("pending", 0)),
        (Released(), ("pending", 0)),
    ],
)
async def test_an_outcome_is_settled_once_and_answered_the_same_again(
    queue: Queue, outcome: Outcome, expected: tuple[str, int]
) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    first = await settle(queue, job.lease, outcome)
    row = await queue.row(job.id)
    again = await settle(queue, job.lease, outcome)
    assert (row["status"], row["attempt"]) == expected
    assert await queue.row(job.id) == row
    assert (first.status, first.lease_held) == (again.status, again.lease_held) == (JobStatus(expected[0]), True)


async def test_another_outcome_under_a_settled_lease_changes_nothing(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    await settle(queue, job.lease, Completed({"n": 2}))
    answer = await settle(queue, job.lease, Failed("x", "y", retryable=False))
    assert answer == Settlement(JobStatus.COMPLETED, lease_held=True)
    assert (await queue.row(job.id))["result"] == {"n": 2}


async def test_outcomes_of_all_kinds_are_settled_together_each_under_its_own_lease(queue: Queue) -> None:
    for _ in range(5):
        await queue.enqueue()
    first, second = await claim(queue, 2), await claim(queue, 3)
    await queue.cancel(second[2].id)
    outcomes: list[Outcome] = [
        Completed({"n": 2}, {"input_tokens": 1}),
        Failed("x", "y", retryable=True, delay_seconds=60),
        Deferred(60, "cool_down"),
        Released(),
        Completed({"n": 3}),
    ]
    told = dict(zip([job.lease for job in first + second], outcomes, strict=True))
    answers = await queue.store.settle(told)
    assert list(answers) == list(told)
    assert [(answer.status, answer.lease_held) for answer in answers.values() if isinstance(answer, Settlement)] == [
        (JobStatus.COMPLETED, True),
        (JobStatus.PENDING, True),
        (JobStatus.PENDING, True),
        (JobStatus.PENDING, True),
        (JobStatus.CANCELLED, False),
    ]
    assert [await status(queue, lease.job_id) for lease in told] == [
        ("completed", 1),
        ("pending", 1),
        ("pending", 0),
        ("pending", 0),
        ("cancelled", 1),
    ]


async def test_outcomes_sent_again_among_new_ones_count_once(queue: Queue) -> None:
    for _ in range(3):
        await queue.enqueue()
    jobs = await claim(queue, 3)
    await settle(queue, jobs[1].lease, Completed({"n": 1}))
    answers = await queue.store.settle({job.lease: Completed({"n": 2}) for job in jobs})
    assert set(answers.values()) == {Settlement(JobStatus.COMPLETED, lease_held=True)}
    assert [(await queue.row(job.id))["result"] for job in jobs] == [{"n": 2}, {"n": 1}, {"n": 2}]


async def test_as_many_as_a_call_may_carry(queue: Queue) -> None:
    for _ in range(200):
        await queue.enqueue()
    jobs = await claim(queue, 100) + await claim(queue, 100)
    answers = await queue.store.settle({job.lease: Completed({"n": 2}) for job in jobs})
    assert list(answers.values()) == [Settlement(JobStatus.COMPLETED, lease_held=True)] * 200


@pytest.mark.parametrize("queue", ["postgrest", "postgres"], indirect=True)
async def test_a_result_that_is_too_large_is_refused_and_harms_no_other(queue: Queue) -> None:
    for _ in range(2):
        await queue.enqueue()
    large, small = await claim(queue, 2)
    answers = await queue.store.settle({large.lease: Completed({"x": "y" * 600_000}), small.lease: Completed({"n": 2})})
    refused = answers[large.lease]
    assert isinstance(refused, StoreRejectedError)
    assert refused.code == "PT413"
    assert answers[small.lease] == Settlement(JobStatus.COMPLETED, lease_held=True)
    assert await status(queue, large.id) == ("processing", 1)


@pytest.mark.parametrize("queue", ["postgrest", "postgres"], indirect=True)
@pytest.mark.parametrize("value", ["a\0b", math.nan, "\ud800"], ids=["nul", "nan", "surrogate"])
async def test_what_no_database_can_hold_is_refused_as_such(queue: Queue, value: object) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    with pytest.raises(StoreRejectedError):
        await queue.store.settle({job.lease: Completed({"x": value})})
    assert await status(queue, job.id) == ("processing", 1)


async def test_a_retry_is_not_claimed_before_it_is_due(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    answer = await settle(queue, job.lease, Failed("x", "y", retryable=True, delay_seconds=60))
    assert answer.retry_in_seconds == pytest.approx(60, abs=1)
    assert await claim(queue) == []
    assert (await queue.store.reconcile()).next_due_seconds == pytest.approx(60, abs=2)
    await queue.pass_time(61)
    assert (await claim_one(queue)).attempt == 2


async def test_the_last_attempt_fails_the_job_however_retryable(queue: Queue) -> None:
    await queue.enqueue(max_attempts=1)
    job = await claim_one(queue)
    answer = await settle(queue, job.lease, Failed("x", "y", retryable=True))
    assert answer.status is JobStatus.FAILED
    error = (await queue.row(job.id))["error"]
    assert (error["code"], error["message"]) == ("x", "y")


async def test_a_worker_that_was_rescued_from_cannot_settle(queue: Queue) -> None:
    await queue.enqueue()
    late = await claim_one(queue, worker="dead")
    await queue.pass_time(26)
    assert (await queue.store.reconcile()).rescued == 1
    current = await claim_one(queue, worker="alive")
    answer = await settle(queue, late.lease, Completed({"n": 0}))
    assert not answer.lease_held
    assert await status(queue, late.id) == ("processing", 2)
    assert (await settle(queue, current.lease, Completed({"n": 2}))).lease_held


async def test_a_heartbeat_keeps_a_job_from_being_rescued(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    for _ in range(3):
        await queue.pass_time(15)
        assert list(await queue.store.heartbeat("w1", 25, [job.lease])) == []
        assert (await queue.store.reconcile()).rescued == 0


async def test_a_cancel_revokes_the_lease_and_the_heartbeat_tells(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    await queue.cancel(job.id)
    assert list(await queue.store.heartbeat("w1", 25, [job.lease])) == [job.lease]
    assert not (await settle(queue, job.lease, Completed({"n": 2}))).lease_held
    assert await status(queue, job.id) == ("cancelled", 1)


async def test_a_lease_settled_a_moment_ago_is_not_reported_lost(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    await settle(queue, job.lease, Completed({"n": 2}))
    assert list(await queue.store.heartbeat("w1", 25, [job.lease])) == []


async def test_progress_needs_the_lease(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    assert await queue.store.report_progress(job.lease, 0.5, "lendo", None)
    row = await queue.row(job.id)
    assert (row["progress"], row["phase"]) == (0.5, "lendo")
    assert not await queue.store.report_progress(Lease(job.id, uuid4()), 0.9, "outro", "x")
    assert (await queue.row(job.id))["progress"] == 0.5


async def test_a_checkpoint_is_there_for_the_next_attempt(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    assert job.checkpoint is None
    assert await queue.store.save_checkpoint(job.lease, {"page": 1})
    assert await queue.store.save_checkpoint(job.lease, {"page": 2})
    await settle(queue, job.lease, Failed("x", "y", retryable=True, delay_seconds=0))
    assert (await claim_one(queue)).checkpoint == {"page": 2}


async def test_a_checkpoint_needs_the_lease(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    assert not await queue.store.save_checkpoint(Lease(job.id, uuid4()), {"page": 9})
    await settle(queue, job.lease, Released())
    assert (await claim_one(queue)).checkpoint is None


async def test_a_worker_that_deregisters_gives_back_what_it_still_holds(queue: Queue) -> None:
    await queue.enqueue()
    job = await claim_one(queue)
    await queue.store.deregister("w1")
    assert await status(queue, job.id) == ("pending", 0)
    await settle(queue, job.lease, Completed({"n": 2}))
    assert await status(queue, job.id) == ("pending", 0)


async def test_the_reconciler_names_the_workers_alive(queue: Queue) -> None:
    await queue.store.heartbeat("w1", 25, [])
    await queue.pass_time(20)
    await queue.store.heartbeat("w2", 25, [])
    assert sorted((await queue.store.reconcile()).workers) == ["w1", "w2"]
    await queue.pass_time(10)
    assert list((await queue.store.reconcile()).workers) == ["w2"]


async def test_the_reconciler_says_whether_there_is_anything_to_claim(queue: Queue) -> None:
    assert (await queue.store.reconcile()).claimable == 0
    await queue.enqueue()
    assert (await queue.store.reconcile()).claimable == 1
    await claim_one(queue)
    assert (await queue.store.reconcile()).claimable == 0


async def test_claims_at_the_same_time_share_no_job(queue: Queue) -> None:
    ids = {await queue.enqueue() for _ in range(30)}
    claimed: list[UUID] = []

    async def take(worker: str) -> None:
        while jobs := await claim(queue, 2, worker=worker):
            claimed.extend(job.id for job in jobs)

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(take, f"w{number}")
    assert sorted(claimed) == sorted(ids)
