"""The whole machine on a queue in memory: waking, claiming, draining."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from uuid import UUID

import anyio
import pytest
from loguru import logger
from pydantic import SecretStr

from analysis_worker import JobContext, JobStatus, RetryableError, Settings, lease
from analysis_worker.adapters.memory import MemoryJob
from analysis_worker.flow import goes_first
from analysis_worker.handlers import AnyHandler
from analysis_worker.wakes import ListenerState, WakeReason
from analysis_worker.worker import Surroundings, Worker
from tests.unit.analysis_worker.doubles import (
    Clock,
    LossyStore,
    Number,
    Run,
    ScriptedWakeSource,
    double,
    eventually,
    handler_of,
)

pytestmark = pytest.mark.anyio


def settings(**changes: object) -> Settings:
    base: dict[str, object] = {
        "supabase_url": "http://127.0.0.1:1",
        "supabase_key": SecretStr("none"),
        "concurrency": 2,
        "poll_seconds": 0.01,
        "reconcile_seconds": 1000.0,
        "grace_seconds": 5.0,
        "_env_file": None,
    }
    return Settings(**base | changes)  # type: ignore[arg-type]


@asynccontextmanager
async def working(
    store: LossyStore,
    run: Run = double,
    state: ListenerState = ListenerState.READY,
    handlers: Sequence[AnyHandler] = (),
    **changes: object,
) -> AsyncIterator[tuple[Worker, ScriptedWakeSource]]:
    """A worker that has looked at the queue once and now waits for the bell."""
    source = ScriptedWakeSource(state)
    worker = Worker(
        Surroundings(lambda: nullcontext(store), source), handlers or [handler_of(run)], settings(**changes), "w1"
    )
    async with anyio.create_task_group() as group:
        group.start_soon(worker.run)
        await source.listening.wait()
        await eventually(lambda: store.reconciliations >= 1)
        yield worker, source
        worker.stop()


def is_completed(*jobs: MemoryJob) -> bool:
    return all(job.status is JobStatus.COMPLETED for job in jobs)


async def test_a_job_that_was_there_before_the_worker_is_found_at_start(store: LossyStore) -> None:
    job = store.enqueue("double", {"n": 1})
    async with working(store):
        await eventually(lambda: is_completed(job))


async def test_a_ring_brings_in_the_new_job_and_nothing_is_claimed_without_one(store: LossyStore) -> None:
    async with working(store) as (_, source):
        job = store.enqueue("double", {"n": 1})
        await anyio.wait_all_tasks_blocked()
        assert (job.status, store.claims) == (JobStatus.PENDING, [])
        source.ring(WakeReason.REALTIME)
        await eventually(lambda: is_completed(job))


async def test_many_rings_before_the_claim_are_one_claim(store: LossyStore) -> None:
    async with working(store) as (_, source):
        for _ in range(50):
            source.ring(WakeReason.REALTIME)
        await eventually(lambda: len(store.claims) == 1)
        await anyio.wait_all_tasks_blocked()
    assert len(store.claims) == 1


async def test_a_full_batch_is_followed_until_the_queue_is_empty(store: LossyStore) -> None:
    jobs = [store.enqueue("double", {"n": n}) for n in range(9)]
    async with working(store):
        await eventually(lambda: is_completed(*jobs))


async def test_never_more_jobs_run_than_there_are_slots(store: LossyStore) -> None:
    running = peak = 0

    async def run(number: Number, context: JobContext) -> Number:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await anyio.sleep(0.002)
        running -= 1
        return number

    jobs = [store.enqueue("double", {"n": n}) for n in range(9)]
    async with working(store, run):
        await eventually(lambda: is_completed(*jobs))
    assert peak == 2


async def test_a_listener_that_is_not_ready_is_replaced_by_polling(store: LossyStore) -> None:
    async with working(store, state=ListenerState.DEGRADED):
        job = store.enqueue("double", {"n": 1})
        await eventually(lambda: is_completed(job))


async def test_a_retry_is_picked_up_when_it_is_due_although_nothing_rings(store: LossyStore, clock: Clock) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        if context.job.attempt == 1:
            raise RetryableError("busy", "later", delay_seconds=0.05)
        return number

    async with working(store, run) as (_, source):
        job = store.enqueue("double", {"n": 1})
        source.ring(WakeReason.REALTIME)
        await eventually(lambda: job.attempt == 1 and job.status is JobStatus.PENDING)
        clock.now = job.scheduled_at + timedelta(milliseconds=1)
        await eventually(lambda: is_completed(job))


async def test_of_several_retries_each_is_picked_up_when_it_is_due(store: LossyStore, clock: Clock) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        if context.job.attempt == 1:
            raise RetryableError("busy", "later", delay_seconds=number.n / 10)
        return number

    async with working(store, run) as (_, source):
        jobs = [store.enqueue("double", {"n": n}) for n in (2, 5)]
        source.ring(WakeReason.REALTIME)
        await eventually(lambda: all(job.attempt == 1 and job.status is JobStatus.PENDING for job in jobs))
        for job in jobs:
            clock.now = job.scheduled_at + timedelta(milliseconds=1)
            await eventually(lambda: is_completed(job))  # noqa: B023


async def test_a_job_announced_for_later_is_claimed_then_and_not_before(store: LossyStore, clock: Clock) -> None:
    async with working(store) as (_, source):
        before = len(store.claims)
        job = store.enqueue("double", {"n": 1})
        job.scheduled_at = clock.now + timedelta(seconds=0.3)
        source.ring(WakeReason.DOORBELL, job.id, due_in_seconds=0.3)
        await anyio.wait_all_tasks_blocked()
        assert len(store.claims) == before
        clock.now = job.scheduled_at
        await eventually(lambda: is_completed(job))
    assert len(store.claims) == before + 1


async def test_a_claim_without_an_answer_is_repeated_under_its_lease(store: LossyStore) -> None:
    async with working(store) as (_, source):
        job = store.enqueue("double", {"n": 1})
        store.lost_answers = {"claim": 1}
        source.ring(WakeReason.REALTIME)
        await eventually(lambda: is_completed(job))
    assert store.claims[0] == store.claims[1]
    assert (job.attempt, len(job.ended)) == (1, 1)


async def test_more_slots_than_one_claim_fills_are_filled_by_two_at_a_time(store: LossyStore) -> None:
    jobs = [store.enqueue("double", {"n": n}) for n in range(250)]
    store.may_answer = anyio.Event()
    async with working(store, concurrency=230):
        await eventually(lambda: len(store.claims) == 2)
        await anyio.wait_all_tasks_blocked()
        assert len(set(store.claims)) == len(store.claims) == 2
        assert [job.status for job in jobs].count(JobStatus.PROCESSING) == 200
        store.may_answer.set()
        await eventually(lambda: is_completed(*jobs))


async def test_two_claims_without_an_answer_are_both_repeated_and_what_is_left_is_claimed(store: LossyStore) -> None:
    running = peak = 0

    async def run(number: Number, context: JobContext) -> Number:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await anyio.sleep(0.002)
        running -= 1
        return number

    jobs = [store.enqueue("double", {"n": n}) for n in range(300)]
    store.lost_answers = {"claim": 2}
    async with working(store, run, concurrency=200):
        await eventually(lambda: is_completed(*jobs))
    assert set(store.claims[:2]) == set(store.claims[2:4])
    assert len(set(store.claims[:4])) == 2
    assert {job.attempt for job in jobs} == {1}
    assert peak <= 200


async def test_a_repeated_claim_that_brings_less_than_there_is_room_for_is_followed_by_another(
    store: LossyStore,
) -> None:
    first = store.enqueue("double", {"n": 1})
    store.lost_answers = {"claim": 1}
    async with working(store) as (_, source):
        source.ring(WakeReason.REALTIME)
        await eventually(lambda: len(store.claims) == 1)
        late = store.enqueue("double", {"n": 2})
        await eventually(lambda: is_completed(first, late))


async def test_a_claim_that_is_answered_counts_although_the_one_beside_it_is_not(store: LossyStore) -> None:
    jobs = [store.enqueue("double", {"n": n}) for n in range(200)]
    store.lost_answers = {"claim": 1}
    async with working(store, concurrency=200):
        await eventually(lambda: is_completed(*jobs))
    assert store.claims[2] in store.claims[:2]
    assert {(job.attempt, len(job.ended)) for job in jobs} == {(1, 1)}


async def test_jobs_of_two_claims_that_are_answered_during_the_drain_are_given_back(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        await anyio.sleep_forever()
        raise AssertionError("not reached")

    jobs = [store.enqueue("double", {"n": n}) for n in range(300)]
    store.may_answer = anyio.Event()
    async with working(store, run, concurrency=300, grace_seconds=0.01) as (worker, _):
        await eventually(lambda: len(store.claims) == 2)
        worker.stop()
        await anyio.wait_all_tasks_blocked()
        store.may_answer.set()
    assert len(store.claims) == 2
    assert {(job.status, job.attempt) for job in jobs} == {(JobStatus.PENDING, 0)}


async def test_draining_lets_running_jobs_finish_and_claims_nothing_more(store: LossyStore) -> None:
    go_on = anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        await go_on.wait()
        return number

    first = store.enqueue("double", {"n": 1})
    async with working(store, run) as (worker, source):
        await eventually(lambda: first.status is JobStatus.PROCESSING)
        worker.stop()
        await anyio.wait_all_tasks_blocked()
        late = store.enqueue("double", {"n": 2})
        source.ring(WakeReason.REALTIME)
        go_on.set()
    assert (first.status, late.status) == (JobStatus.COMPLETED, JobStatus.PENDING)


async def test_a_slot_that_is_freed_during_the_last_claim_is_not_filled_any_more(store: LossyStore) -> None:
    may_end = [anyio.Event() for _ in range(4)]

    async def run(number: Number, context: JobContext) -> Number:
        await may_end[number.n].wait()
        return number

    jobs = [store.enqueue("double", {"n": n}) for n in range(4)]
    async with working(store, run) as (worker, _):
        await eventually(lambda: jobs[1].status is JobStatus.PROCESSING)
        store.may_answer = anyio.Event()
        may_end[0].set()
        await eventually(lambda: len(store.claims) == 2)
        worker.stop()
        may_end[1].set()
        await eventually(lambda: is_completed(jobs[1]))
        store.may_answer.set()
        may_end[2].set()
        may_end[3].set()
    assert [job.status for job in jobs] == [JobStatus.COMPLETED] * 3 + [JobStatus.PENDING]


async def test_a_worker_that_is_told_to_stop_before_it_has_begun_ends_at_once(store: LossyStore) -> None:
    source = ScriptedWakeSource()
    surroundings = Surroundings(lambda: nullcontext(store), source)
    for _ in range(20):
        worker = Worker(surroundings, [handler_of(double)], settings(), "w1")
        worker.stop()
        with anyio.fail_after(2):
            await worker.run()


async def test_what_does_not_finish_within_the_grace_is_given_back(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        await anyio.sleep_forever()
        raise AssertionError("not reached")

    job = store.enqueue("double", {"n": 1})
    async with working(store, run, grace_seconds=0.01) as (worker, _):
        await eventually(lambda: job.status is JobStatus.PROCESSING)
        worker.stop()
    assert (job.status, job.attempt) == (JobStatus.PENDING, 0)


async def test_the_reconciler_brings_back_the_job_of_a_dead_worker(store: LossyStore, clock: Clock) -> None:
    job = store.enqueue("double", {"n": 1})
    await store.claim("dead", job.id, ["double"], 1)
    clock.advance(26)
    async with working(store):
        await eventually(lambda: is_completed(job))
    assert job.attempt == 2


async def test_a_job_of_twenty_minutes_stays_with_a_worker_that_lives(store: LossyStore, clock: Clock) -> None:
    """By the queue's clock: a lease of 5 s, never more than 4 s between heartbeats, a reconciliation after each."""
    may_finish = anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        await may_finish.wait()
        return number

    job = store.enqueue("double", {"n": 1}, timeout_seconds=1800)
    async with working(store, run, heartbeat_seconds=0.002, lease_seconds=5, reconcile_seconds=0.001):
        await eventually(lambda: job.status is JobStatus.PROCESSING)
        for _ in range(300):
            clock.advance(4)
            beats, reconciliations = store.heartbeats, store.reconciliations
            await eventually(lambda: store.heartbeats > beats + 1)  # noqa: B023 - awaited within the round
            await eventually(lambda: store.reconciliations > reconciliations + 1)  # noqa: B023
        may_finish.set()
        await eventually(lambda: is_completed(job))
    assert (job.attempt, list(job.ended.values())) == (1, ["completed"])


async def test_a_swept_job_that_was_never_announced_makes_the_worker_distrust_its_listener(
    store: LossyStore, clock: Clock
) -> None:
    async with working(store) as (_, source):
        source.ready_seconds = 60.0
        store.enqueue("double", {"n": 1})
        clock.advance(10)
        source.ring(WakeReason.SWEEP)
        await eventually(lambda: source.distrusted == 1)


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_cancel_that_is_heard_stops_the_handler_before_the_next_heartbeat(
    store: LossyStore, is_named: bool
) -> None:
    stopped = anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()
        raise AssertionError("not reached")

    job = store.enqueue("double", {"n": 1})
    async with working(store, run, heartbeat_seconds=1000, lease_seconds=2500) as (_, source):
        await eventually(lambda: job.status is JobStatus.PROCESSING)
        store.cancel(job.id)
        assert source.listener is not None
        source.listener.cancelled(job.id if is_named else None)
        with anyio.fail_after(1):
            await stopped.wait()
    assert job.status is JobStatus.CANCELLED


async def test_a_handler_that_blocks_the_loop_does_not_stop_the_heartbeats(store: LossyStore, clock: Clock) -> None:
    beats_while_blocked = 0

    async def run(number: Number, context: JobContext) -> Number:
        nonlocal beats_while_blocked
        before = store.heartbeats
        give_up_at = time.monotonic() + 5
        while store.heartbeats < before + 3 and time.monotonic() < give_up_at:
            time.sleep(0.001)  # noqa: ASYNC251 - the rudeness under test
        beats_while_blocked = store.heartbeats - before
        return number

    job = store.enqueue("double", {"n": 1})
    async with working(store, run, heartbeat_seconds=0.01, lease_seconds=2.0):
        await eventually(lambda: is_completed(job))
    assert beats_while_blocked >= 3


async def test_what_blocks_the_loop_is_named(store: LossyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BLOCKED_SECONDS", 0.1)
    reports: list[str] = []
    sink = logger.add(lambda message: reports.append(message.record["extra"].get("stack", "")), level="ERROR")

    async def run(number: Number, context: JobContext) -> Number:
        a_rude_loop(until=lambda: bool(reports))
        return number

    job = store.enqueue("double", {"n": 1})
    try:
        async with working(store, run):
            await eventually(lambda: is_completed(job))
    finally:
        logger.remove(sink)
    assert "a_rude_loop" in reports[0]


def a_rude_loop(until: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 5
    while not until() and time.monotonic() < give_up_at:
        time.sleep(0.001)


async def test_a_limit_per_type_is_kept_while_other_types_go_on(store: LossyStore) -> None:
    running: Counter[str] = Counter()
    peak: Counter[str] = Counter()

    async def run(number: Number, context: JobContext) -> Number:
        running[context.job.type] += 1
        peak[context.job.type] = max(peak[context.job.type], running[context.job.type])
        await anyio.sleep(0.002)
        running[context.job.type] -= 1
        return number

    handlers = [handler_of(run, "heavy", concurrency=1), handler_of(run, "light")]
    jobs = [store.enqueue(type, {"n": n}) for type in ("heavy", "light") for n in range(8)]
    async with working(store, handlers=handlers, concurrency=4):
        await eventually(lambda: is_completed(*jobs))
    assert peak["heavy"] == 1
    assert peak["light"] > 1


async def test_an_announced_job_is_fetched_by_one_worker_at_once_and_by_the_others_only_if_it_stays(
    store: LossyStore, clock: Clock
) -> None:
    await store.heartbeat("other", 1000, [])
    async with working(store) as (_, source):
        await eventually(lambda: store.heartbeats >= 2)
        source.ring(WakeReason.SWEEP)
        await eventually(lambda: len(store.claims) == 1)
        both = ["w1", "other"]
        mine = next(job_id for job_id in map(numbered, range(100)) if goes_first("w1", job_id, both))
        theirs = next(job_id for job_id in map(numbered, range(100)) if not goes_first("w1", job_id, both))
        job = store.enqueue("double", {"n": 1})
        source.ring(WakeReason.REALTIME, theirs)
        await anyio.wait_all_tasks_blocked()
        assert (job.status, len(store.claims)) == (JobStatus.PENDING, 1)
        await eventually(lambda: is_completed(job))
        job = store.enqueue("double", {"n": 1})
        started_at = anyio.current_time()
        source.ring(WakeReason.REALTIME, mine)
        await eventually(lambda: is_completed(job))
        assert anyio.current_time() - started_at < 0.5


async def test_a_job_announced_twice_is_fetched_with_one_claim(store: LossyStore) -> None:
    async with working(store) as (_, source):
        job = store.enqueue("double", {"n": 1})
        source.ring(WakeReason.DOORBELL, job.id)
        await eventually(lambda: is_completed(job))
        source.ring(WakeReason.REALTIME, job.id)
        await anyio.wait_all_tasks_blocked()
    assert len(store.claims) == 1


async def test_an_announcement_that_comes_again_during_the_claim_asks_for_no_other(store: LossyStore) -> None:
    async with working(store) as (_, source):
        job = store.enqueue("double", {"n": 1})
        store.may_answer = anyio.Event()
        source.ring(WakeReason.DOORBELL, job.id)
        await eventually(lambda: len(store.claims) == 1)
        source.ring(WakeReason.REALTIME, job.id)
        store.may_answer.set()
        await eventually(lambda: is_completed(job))
        await anyio.wait_all_tasks_blocked()
    assert len(store.claims) == 1


async def test_a_slot_that_is_freed_during_a_claim_asks_for_no_other(store: LossyStore) -> None:
    may_finish = anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        await may_finish.wait()
        return number

    async with working(store, run) as (_, source):
        first = store.enqueue("double", {"n": 1})
        source.ring(WakeReason.REALTIME)
        await eventually(lambda: first.status is JobStatus.PROCESSING)
        store.may_answer = anyio.Event()
        source.ring(WakeReason.REALTIME)
        await eventually(lambda: len(store.claims) == 2)
        may_finish.set()
        await eventually(lambda: is_completed(first))
        store.may_answer.set()
        await anyio.wait_all_tasks_blocked()
    assert len(store.claims) == 2


async def test_a_slot_is_used_again_before_the_queue_knows_that_it_is_free(store: LossyStore) -> None:
    store.may_settle = anyio.Event()
    first, second = (store.enqueue("double", {"n": n}) for n in range(2))
    async with working(store, concurrency=1):
        await eventually(lambda: second.status is JobStatus.PROCESSING)
        assert first.status is JobStatus.PROCESSING
        store.may_settle.set()
        await eventually(lambda: is_completed(first, second))


async def test_what_a_limit_kept_back_is_claimed_when_the_queue_knows_that_there_is_room(store: LossyStore) -> None:
    store.one_at_a_time = True
    store.may_settle = anyio.Event()
    jobs = [store.enqueue("double", {"n": n}) for n in range(3)]
    async with working(store, concurrency=1):
        await eventually(lambda: len(store.claims) == 2)
        await anyio.wait_all_tasks_blocked()
        assert len(store.claims) == 2
        store.may_settle.set()
        with anyio.fail_after(2):  # the reconciler would find them, too
            await eventually(lambda: is_completed(*jobs))


async def test_what_a_limit_kept_back_is_claimed_when_there_was_room_before_the_claim_was_answered(
    store: LossyStore,
) -> None:
    store.one_at_a_time = True
    store.may_settle = anyio.Event()
    go_on = anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        await go_on.wait()
        return number

    first, second = (store.enqueue("double", {"n": n}) for n in range(2))
    async with working(store, run, concurrency=1):
        await eventually(lambda: first.status is JobStatus.PROCESSING)
        store.may_answer = anyio.Event()
        go_on.set()
        await eventually(lambda: len(store.claims) == 2)
        store.may_settle.set()
        await eventually(lambda: is_completed(first))
        await anyio.wait_all_tasks_blocked()
        store.may_answer.set()
        with anyio.fail_after(2):  # the reconciler would find it, too
            await eventually(lambda: is_completed(second))


async def test_an_announcement_that_was_quicker_than_the_commit_is_followed_up(store: LossyStore) -> None:
    async with working(store) as (_, source):
        job = store.enqueue("double", {"n": 1})
        del store.jobs[job.id]
        source.ring(WakeReason.DOORBELL, job.id)
        await eventually(lambda: len(store.claims) == 1)
        store.jobs[job.id] = job
        await eventually(lambda: is_completed(job))


async def test_the_second_announcement_fetches_what_the_first_one_could_not(store: LossyStore) -> None:
    async with working(store) as (_, source):
        job = store.enqueue("double", {"n": 1})
        del store.jobs[job.id]
        source.ring(WakeReason.DOORBELL, job.id)
        await eventually(lambda: len(store.claims) == 1)
        store.jobs[job.id] = job
        started_at = anyio.current_time()
        source.ring(WakeReason.REALTIME, job.id)
        await eventually(lambda: is_completed(job))
        assert anyio.current_time() - started_at < 0.5


def numbered(number: int) -> UUID:
    return UUID(int=number, version=4)
