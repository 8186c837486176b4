"""AnalysisClient against a whole local stack, with a worker played by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest
from postgrest.exceptions import APIError
from psycopg.types.json import Jsonb
from supabase import AsyncClient, AsyncClientOptions, acreate_client

from analysis_worker import JobStatus
from analysis_worker.client import AnalysisClient, JobView
from supabase_local.directory import StackVariables

pytestmark = pytest.mark.anyio

TYPE = "watched"
NEVER_POLLS, WAIT_SECONDS = 60.0, 15.0


class Hand:
    """Does with a job what a worker would, one call at a time."""

    def __init__(self, database: psycopg.Connection[Any]) -> None:
        self._database = database
        self._lease: dict[str, Any] = {}

    def claim(self) -> None:
        (job,) = self._call("claim_job", worker_id="hand", lease_id=uuid4(), types=[TYPE], max_jobs=1)
        self._lease = {"job_id": job["id"], "lease_id": job["lease_id"]}

    def report(self, **what: Any) -> None:
        self._call("report_progress", **self._lease, **what)

    def complete(self, result: dict[str, Any]) -> None:
        self._call("complete_job", **self._lease, result=Jsonb(result))

    def _call(self, function: str, **arguments: Any) -> list[Any]:
        names = ", ".join(f"{name} => %({name})s" for name in arguments)
        return [row[0] for row in self._database.execute(f"select public.{function}({names})".encode(), arguments)]


@pytest.fixture
def hand(stack: StackVariables) -> Iterator[Hand]:
    with psycopg.connect(stack.db_url, autocommit=True) as database:
        database.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", [TYPE])
        yield Hand(database)
        database.execute("delete from public.analysis_jobs where type = %s", [TYPE])


@pytest.fixture
async def supabase(stack: StackVariables) -> AsyncIterator[AsyncClient]:
    async with httpx.AsyncClient(timeout=20) as http:
        options = AsyncClientOptions(httpx_client=http, auto_refresh_token=False)
        client = await acreate_client(stack.api_url, stack.publishable_key, options)
        await client.auth.sign_in_anonymously()
        yield client
        await client.realtime.close()


@pytest.fixture
def client(supabase: AsyncClient) -> AnalysisClient:
    return AnalysisClient(supabase)


async def test_each_state_of_a_job_is_seen_as_it_comes_and_its_end_last(client: AnalysisClient, hand: Hand) -> None:
    job = await client.enqueue(TYPE, {"n": 1})
    steps: Iterator[Callable[[], None]] = iter(
        [
            hand.claim,
            lambda: hand.report(progress=0.5, phase="escrevendo", partial="Bom d"),
            lambda: hand.complete({"n": 2}),
        ]
    )
    seen: list[JobView] = []
    with anyio.fail_after(WAIT_SECONDS):
        async for view in client.watch(job.id, poll_seconds=NEVER_POLLS):
            seen.append(view)
            if (step := next(steps, None)) is not None:
                step()
    assert [view.status.value for view in seen] == ["pending", "processing", "processing", "completed"]
    assert (seen[2].progress, seen[2].phase, seen[2].partial) == (0.5, "escrevendo", "Bom d")
    assert seen[3].result == {"n": 2}


async def test_waiting_returns_the_job_at_its_end(client: AnalysisClient, hand: Hand) -> None:
    job = await client.enqueue(TYPE, {"n": 1})
    async with anyio.create_task_group() as group:

        async def work() -> None:
            hand.claim()
            hand.complete({"n": 2})

        group.start_soon(work)
        view = await client.wait(job.id, WAIT_SECONDS)
    assert (view.status, view.result) == (JobStatus.COMPLETED, {"n": 2})


async def test_waiting_gives_up_in_time_and_the_job_goes_on(client: AnalysisClient, hand: Hand) -> None:
    job = await client.enqueue(TYPE, {"n": 1})
    with pytest.raises(TimeoutError):
        await client.wait(job.id, 0.2)
    assert (await client.get(job.id)).status is JobStatus.PENDING


async def test_polling_finds_what_no_event_told(client: AnalysisClient, supabase: AsyncClient, hand: Hand) -> None:
    job = await client.enqueue(TYPE, {"n": 1})
    seen: list[str] = []
    with anyio.fail_after(WAIT_SECONDS):
        async for view in client.watch(job.id, poll_seconds=0.1):
            seen.append(view.status.value)
            if len(seen) == 1:
                await supabase.realtime.close()
                hand.claim()
                hand.complete({})
    assert seen == ["pending", "completed"]


async def test_a_cancelled_job_is_over_at_once(client: AnalysisClient, hand: Hand) -> None:
    job = await client.enqueue(TYPE, {"n": 1})
    assert (await client.cancel(job.id)).status is JobStatus.CANCELLED
    assert (await client.wait(job.id, WAIT_SECONDS)).status is JobStatus.CANCELLED


async def test_the_same_key_is_the_same_job(client: AnalysisClient, hand: Hand) -> None:
    first = await client.enqueue(TYPE, {"n": 1}, idempotency_key="once")
    assert (await client.enqueue(TYPE, {"n": 1}, idempotency_key="once")).id == first.id


async def test_a_job_that_is_not_there_is_an_error_of_the_queue(client: AnalysisClient, hand: Hand) -> None:
    with pytest.raises(APIError) as caught:
        await client.get(uuid4())
    assert caught.value.code == "PT404"
