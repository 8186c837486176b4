"""One attempt, from a claimed row to a settled one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest

from analysis_worker import DeferredError, JobContext, JobStatus, PermanentError, RetryableError
from analysis_worker.adapters.memory import MemoryJob
from analysis_worker.executor import Executor, Workshop
from analysis_worker.handlers import by_type
from analysis_worker.outcomes import Settlement
from analysis_worker.processes import open_processes
from analysis_worker.wakes import WakeReason
from tests.unit.analysis_worker.doubles import LossyStore, Number, Run, double, eventually, handler_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def executing(store: LossyStore, run: Run) -> AsyncIterator[tuple[Executor, list[Settlement | None]]]:
    settled: list[Settlement | None] = []
    async with open_processes() as processes, anyio.create_task_group() as group:
        yield (
            Executor(group, store, Workshop(by_type([handler_of(run)]), processes, 5), lambda: None, settled.append),
            settled,
        )


async def start_all(executor: Executor, store: LossyStore) -> None:
    executor.start(await store.claim("w1", uuid4(), ["double"], 100), WakeReason.SWEEP)


async def run_one(store: LossyStore, run: Run, **row: float) -> MemoryJob:
    job = store.enqueue("double", {"n": 21}, **row)  # type: ignore[arg-type]
    async with executing(store, run) as (executor, _):
        await start_all(executor, store)
    return job


async def test_a_result_completes_the_job(store: LossyStore) -> None:
    job = await run_one(store, double)
    assert (job.status, job.result) == (JobStatus.COMPLETED, {"n": 42})


async def test_a_permanent_error_fails_the_job_at_the_first_attempt(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        raise PermanentError("no_good", "Não serve.")

    job = await run_one(store, run)
    assert (job.status, job.attempt, job.error) == (JobStatus.FAILED, 1, {"code": "no_good", "message": "Não serve."})


async def test_a_retryable_error_waits_as_long_as_the_handler_says(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        raise RetryableError("busy", "later", delay_seconds=7)

    job = await run_one(store, run)
    assert (job.status, job.attempt) == (JobStatus.PENDING, 1)
    assert (job.scheduled_at - job.created_at).total_seconds() == 7


async def test_a_deferred_job_gets_its_attempt_back(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        raise DeferredError("cool_down", "429", delay_seconds=30)

    job = await run_one(store, run)
    assert (job.status, job.attempt) == (JobStatus.PENDING, 0)


async def test_an_error_nobody_meant_is_retried_and_its_text_is_not_stored(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        raise ValueError("CPF 123.456.789-09")

    job = await run_one(store, run, max_attempts=1)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error["code"] == "internal_error"
    assert "123" not in job.error["message"]


async def test_a_single_error_out_of_a_handlers_task_group_counts_as_itself(store: LossyStore) -> None:
    async def fail() -> None:
        raise PermanentError("inner", "dentro")

    async def run(number: Number, context: JobContext) -> Number:
        async with anyio.create_task_group() as group:
            group.start_soon(fail)
        raise AssertionError("not reached")

    job = await run_one(store, run)
    assert job.error == {"code": "inner", "message": "dentro"}


async def test_input_that_the_model_refuses_fails_without_calling_the_handler(store: LossyStore) -> None:
    job = store.enqueue("double", {"n": "many"})
    async with executing(store, double) as (executor, _):
        await start_all(executor, store)
    assert job.error is not None
    assert job.error["code"] == "invalid_input"
    assert "many" not in job.error["message"]


async def test_a_result_that_the_model_refuses_is_no_result(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        return {"n": "secret"}  # type: ignore[return-value]

    job = await run_one(store, run, max_attempts=1)
    assert job.error is not None
    assert job.error["code"] == "invalid_result"
    assert "secret" not in job.error["message"]


async def test_the_deadline_ends_a_handler(store: LossyStore) -> None:
    cancelled = anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()
        raise AssertionError("not reached")

    job = await run_one(store, run, timeout_seconds=0.02, max_attempts=1)
    assert cancelled.is_set()
    assert job.error is not None
    assert job.error["code"] == "deadline_exceeded"


async def test_a_settlement_whose_answer_is_lost_is_sent_again_and_counts_once(store: LossyStore) -> None:
    store.lost_answers = {"settle": 1}
    job = store.enqueue("double", {"n": 1})
    async with executing(store, double) as (executor, settled):
        await start_all(executor, store)
    assert (job.status, len(job.ended)) == (JobStatus.COMPLETED, 1)
    assert settled == [Settlement(JobStatus.COMPLETED, lease_held=True, has_next=True)]


async def test_a_job_cancelled_by_its_user_is_stopped_and_nothing_is_written(store: LossyStore) -> None:
    started = anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError("not reached")

    job = store.enqueue("double", {"n": 1})
    async with executing(store, run) as (executor, settled):
        await start_all(executor, store)
        await started.wait()
        store.cancel(job.id)
        executor.lose(await store.heartbeat("w1", 25, executor.held))
    assert job.status is JobStatus.CANCELLED
    assert settled == [None]


async def test_progress_under_a_lost_lease_stops_the_handler(store: LossyStore) -> None:
    went_on = False

    async def run(number: Number, context: JobContext) -> Number:
        nonlocal went_on
        store.cancel(context.job.id)
        await context.report_progress(0.5, "half")
        await anyio.lowlevel.checkpoint()
        went_on = True
        return number

    job = await run_one(store, run)
    assert not went_on
    assert job.status is JobStatus.CANCELLED


async def test_progress_is_shown_to_the_owner(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        await context.report_progress(0.5, "lendo")
        return number

    job = await run_one(store, run)
    assert (job.progress, job.phase) == (0.5, "lendo")


async def test_text_can_be_read_while_it_is_written_and_is_gone_with_the_attempt(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        await context.report_progress(0.5, "escrevendo", "Bom d")
        shown.append(job.partial)
        return number

    shown: list[str | None] = []
    job = store.enqueue("double", {"n": 21})
    async with executing(store, run) as (executor, _):
        await start_all(executor, store)
    assert shown == ["Bom d"]
    assert job.partial is None


@pytest.mark.parametrize(
    "end",
    [None, PermanentError("a", "b"), RetryableError("a", "b"), DeferredError("a", "b", 1), TimeoutError()],
    ids=lambda end: type(end).__name__,
)
async def test_what_an_attempt_used_is_kept_whatever_came_of_it(store: LossyStore, end: Exception | None) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        context.add_usage({"input_tokens": 10, "cost_micro_usd": 3, "model": "small"})
        context.add_usage({"input_tokens": 5, "model": "large", "requests": 1})
        if isinstance(end, TimeoutError):
            await anyio.sleep_forever()
        elif end is not None:
            raise end
        return number

    job = await run_one(store, run, timeout_seconds=0.05 if isinstance(end, TimeoutError) else 60)
    assert job.usage == [{"input_tokens": 15, "cost_micro_usd": 3, "model": "large", "requests": 1}]


async def test_a_job_claimed_again_while_it_still_runs_here_ends_its_first_attempt_alone(store: LossyStore) -> None:
    """A worker that was stopped for longer than its lease can be the one that gets the job again."""
    attempts: list[int] = []
    both_started, may_finish = anyio.Event(), anyio.Event()

    async def run(number: Number, context: JobContext) -> Number:
        attempts.append(context.job.attempt)
        if len(attempts) == 2:
            both_started.set()
        await may_finish.wait()
        return number

    job = store.enqueue("double", {"n": 1})
    async with executing(store, run) as (executor, settled):
        await start_all(executor, store)
        old = executor.held
        await eventually(lambda: attempts == [1])
        store.rescue(job.id)
        await start_all(executor, store)
        await both_started.wait()
        assert len(executor.held) == 1
        executor.lose(old)  # the answer of a heartbeat that was sent before
        may_finish.set()
    assert (job.status, job.attempt, attempts) == (JobStatus.COMPLETED, 2, [1, 2])
    assert sorted(settled, key=str) == [None, Settlement(JobStatus.COMPLETED, lease_held=True)]


async def test_the_next_attempt_goes_on_from_the_checkpoint(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        if context.job.checkpoint is None:
            await context.save_checkpoint({"so_far": 40})
            raise RetryableError("busy", "later", delay_seconds=0)
        return Number(n=context.job.checkpoint["so_far"] + 2)

    job = store.enqueue("double", {"n": 1})
    async with executing(store, run) as (executor, _):
        await start_all(executor, store)
        await executor.wait_idle()
        await start_all(executor, store)
    assert job.result == {"n": 42}


async def test_released_jobs_are_pending_again_with_their_attempt(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        await anyio.sleep_forever()
        raise AssertionError("not reached")

    jobs = [store.enqueue("double", {"n": n}) for n in range(3)]
    async with executing(store, run) as (executor, _):
        await start_all(executor, store)
        executor.release_all()
        await executor.wait_idle()
    assert [(job.status, job.attempt) for job in jobs] == [(JobStatus.PENDING, 0)] * 3


async def test_a_handler_that_finishes_while_being_released_keeps_its_result(store: LossyStore) -> None:
    async def run(number: Number, context: JobContext) -> Number:
        with suppress(anyio.get_cancelled_exc_class()):
            await anyio.sleep_forever()
        return number

    job = store.enqueue("double", {"n": 1})
    async with executing(store, run) as (executor, _):
        await start_all(executor, store)
        await eventually(lambda: len(executor.held) == 1)
        await anyio.lowlevel.checkpoint()
        executor.release_all()
    assert job.status is JobStatus.COMPLETED


async def test_a_slot_is_taken_at_start_and_free_when_the_handler_has_ended(store: LossyStore) -> None:
    store.enqueue("double", {"n": 1})
    store.may_settle = anyio.Event()
    async with executing(store, double) as (executor, _):
        await start_all(executor, store)
        assert executor.free_slots == 4
        await eventually(lambda: executor.free_slots == 5)
        assert len(executor.held) == 1
        store.may_settle.set()


async def test_unsettled_attempts_are_at_most_twice_as_many_as_slots(store: LossyStore) -> None:
    store.may_settle = anyio.Event()
    free = []
    async with executing(store, double) as (executor, _):
        for count in (4, 4, 2):
            for n in range(count):
                store.enqueue("double", {"n": n})
            await start_all(executor, store)
            await anyio.wait_all_tasks_blocked()
            free.append(executor.free_slots)
        has_openings = bool(executor.openings())
        store.may_settle.set()
        await executor.wait_idle()
        free.append(executor.free_slots)
    assert free == [5, 2, 0, 5]
    assert not has_openings


async def test_a_result_that_the_queue_cannot_store_fails_the_job_for_good(store: LossyStore) -> None:
    store.refused_results = "PT413"
    job = await run_one(store, double)
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)
    assert job.error is not None
    assert job.error["code"] == "result_refused"


async def test_abandoning_ends_a_settlement_that_gets_no_answer(store: LossyStore) -> None:
    store.lost_answers = {"settle": 10_000}
    store.enqueue("double", {"n": 1})
    async with executing(store, double) as (executor, _):
        await start_all(executor, store)
        await eventually(lambda: store.lost_answers["settle"] < 10_000)
        executor.abandon()
        with anyio.fail_after(1):
            await executor.wait_idle()


def test_two_handlers_for_one_type_are_refused() -> None:
    with pytest.raises(ValueError, match="double"):
        by_type([handler_of(double), handler_of(double)])
