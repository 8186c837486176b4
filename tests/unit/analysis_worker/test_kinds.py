"""Handlers in threads and in processes of their own."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from uuid import uuid4

import anyio
import psutil
import pytest
from pydantic import BaseModel

from analysis_worker import (
    DeferredError,
    JobContext,
    JobStatus,
    PermanentError,
    ProcessHandler,
    RetryableError,
    ThreadHandler,
)
from analysis_worker.adapters.memory import MemoryJob
from analysis_worker.executor import Executor, Workshop
from analysis_worker.handlers import AnyHandler, by_type
from analysis_worker.processes import open_processes
from analysis_worker.wakes import WakeReason
from tests.unit.analysis_worker.doubles import LossyStore, Number, eventually

pytestmark = pytest.mark.anyio


class Order(BaseModel):
    """What the function in the other process shall do."""

    do: str
    path: Path | None = None


class Done(BaseModel):
    pid: int
    environment: list[str] = []


def work(order: Order) -> Done:
    match order.do:
        case "spin":
            assert order.path is not None
            order.path.write_text(str(os.getpid()))
            while True:
                pass
        case "die":
            os._exit(3)
        case "print":
            print("noise between the frames")
        case "permanent":
            raise PermanentError("no_good", "Não serve.")
        case "retryable":
            raise RetryableError("busy", "later", 7)
        case "deferred":
            raise DeferredError("cool", "later", 30)
        case "raise":
            raise ValueError("CPF 123.456.789-09")
    return Done(pid=os.getpid(), environment=sorted(os.environ))


PROCESS = ProcessHandler(type="double", input=Order, result=Done, run=work)


async def run_all(store: LossyStore, handler: AnyHandler, *inputs: dict[str, object], **row: float) -> list[MemoryJob]:
    jobs = [store.enqueue("double", input, **row) for input in inputs]  # type: ignore[arg-type]
    async with open_processes() as processes, anyio.create_task_group() as group:
        for job in jobs:
            executor = Executor(group, store, Workshop(by_type([handler]), processes, 1), lambda: None, lambda _: None)
            executor.start(await store.claim("w1", uuid4(), ["double"], 1), WakeReason.SWEEP)
            await executor.wait_idle()
            assert job.attempt <= 1
    return jobs


async def test_a_thread_handler_runs_beside_the_loop_and_reports_progress(store: LossyStore) -> None:
    threads: list[int] = []

    def run(number: Number, context: JobContext) -> Number:
        threads.append(threading.get_ident())
        context.report_progress_from_thread(0.5, "lendo")
        return Number(n=number.n * 2)

    handler = ThreadHandler(type="double", input=Number, result=Number, run=run)
    (job,) = await run_all(store, handler, {"n": 21})
    assert (job.status, job.result, job.phase) == (JobStatus.COMPLETED, {"n": 42}, "lendo")
    assert threads != [threading.get_ident()]


async def test_the_deadline_does_not_wait_for_a_thread(store: LossyStore) -> None:
    go_on = threading.Event()

    def run(number: Number, context: JobContext) -> Number:
        go_on.wait(10)
        return number

    handler = ThreadHandler(type="double", input=Number, result=Number, run=run)
    (job,) = await run_all(store, handler, {"n": 1}, timeout_seconds=0.05, max_attempts=1)
    go_on.set()
    assert job.error is not None
    assert job.error["code"] == "deadline_exceeded"


async def test_a_process_is_another_one_without_our_environment_and_is_used_again(store: LossyStore) -> None:
    jobs = await run_all(store, PROCESS, {"do": "print"}, {"do": "nothing"})
    results = [job.result for job in jobs]
    assert results[0] is not None
    assert results[1] is not None
    assert results[0]["pid"] == results[1]["pid"] != os.getpid()
    assert set(results[0]["environment"]) <= {"PYTHONPATH", "LC_CTYPE"}
    assert not psutil.pid_exists(results[0]["pid"])


@pytest.mark.parametrize(
    ("do", "status", "code"),
    [
        ("permanent", JobStatus.FAILED, "no_good"),
        ("retryable", JobStatus.PENDING, None),
        ("deferred", JobStatus.PENDING, None),
        ("raise", JobStatus.PENDING, None),
        ("die", JobStatus.PENDING, None),
    ],
)
async def test_what_a_process_raises_counts_as_raised_here(
    store: LossyStore, do: str, status: JobStatus, code: str | None
) -> None:
    (job,) = await run_all(store, PROCESS, {"do": do})
    assert job.status is status
    assert (job.error or {}).get("code") == code


async def test_the_deadline_kills_a_process_that_computes(store: LossyStore, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    (job,) = await run_all(store, PROCESS, {"do": "spin", "path": str(path)}, timeout_seconds=3.0, max_attempts=1)
    assert job.error is not None
    assert job.error["code"] == "deadline_exceeded"
    pid = int(path.read_text())
    await eventually(lambda: not psutil.pid_exists(pid))


async def test_a_cancel_kills_a_process_that_computes(store: LossyStore, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    job = store.enqueue("double", {"do": "spin", "path": str(path)})
    async with open_processes() as processes, anyio.create_task_group() as group:
        executor = Executor(group, store, Workshop(by_type([PROCESS]), processes, 1), lambda: None, lambda _: None)
        executor.start(await store.claim("w1", uuid4(), ["double"], 1), WakeReason.SWEEP)
        await eventually(lambda: path.exists() and path.read_text() != "")
        store.cancel(job.id)
        started_at = time.monotonic()
        executor.lose(executor.held)
        await executor.wait_idle()
    assert time.monotonic() - started_at < 1
    assert not psutil.pid_exists(int(path.read_text()))


def test_a_function_that_no_other_process_can_find_is_refused() -> None:
    with pytest.raises(ValueError, match="must be defined in a module"):
        ProcessHandler(type="double", input=Order, result=Done, run=lambda _: Done(pid=0))
