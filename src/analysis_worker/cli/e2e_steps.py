"""One job, from a user's sign-in to its result, step by step, as a client of the app does it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import anyio

from analysis_worker.adapters.app_client import CLIENT_ERRORS, AppClient, describe_error, open_app_client
from analysis_worker.adapters.changes import hearing_changes
from analysis_worker.adapters.records import Records
from analysis_worker.client import AnalysisClient, JobView
from analysis_worker.errors import StoreError
from analysis_worker.jobs import JobStatus

_GATEWAY = "enqueue-analysis"
_NOT_DEPLOYED = 404
_HEAR_SECONDS = 10.0


class Verdict(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(slots=True)
class Step:
    name: str
    verdict: Verdict = Verdict.OK
    ms: float = 0.0
    detail: str = ""

    def skip(self, why: str) -> None:
        self.verdict, self.detail = Verdict.SKIPPED, why


class StepFailedError(Exception):
    """What was found is not what should be; the message says what."""


class _StoppedError(Exception):
    """A step failed that the others need; it is among the steps."""


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    password: str


@dataclass(slots=True)
class Journey:
    """`login` None makes a user for the journey, and deletes it at the end. Steps are filled in as they are done."""

    url: str
    publishable_key: str
    records: Records
    type: str
    input: Mapping[str, Any]
    timeout_seconds: float
    login: Login | None = None
    steps: list[Step] = field(default_factory=list)
    _jobs: set[UUID] = field(default_factory=set)

    async def travel(self) -> bool:
        """Whether every step went well. What was made is deleted whatever happens."""
        user_id: str | None = None
        try:
            login = self.login
            if login is None:
                with self._step("create a user") as step:
                    login = Login(f"e2e-{uuid4().hex}@example.com", uuid4().hex)
                    user_id = await anyio.to_thread.run_sync(self.records.create_user, login.email, login.password)
                    step.detail = user_id
            async with open_app_client(self.url, self.publishable_key) as app:
                with self._step("sign in"):
                    await app.sign_in(login.email, login.password)
                client = AnalysisClient(app.supabase)
                await self._cancel_one(client, app)
                await self._run_one(client, app)
        except _StoppedError:
            pass
        finally:
            self._clean_up(user_id)
        return all(step.verdict is not Verdict.FAILED for step in self.steps)

    @contextmanager
    def _step(self, name: str) -> Iterator[Step]:
        step = Step(name)
        self.steps.append(step)
        began_at = perf_counter()
        try:
            yield step
        except (StepFailedError, StoreError, *CLIENT_ERRORS) as error:
            step.verdict, step.detail = Verdict.FAILED, describe_error(error)
            raise _StoppedError from error
        finally:
            step.ms = round((perf_counter() - began_at) * 1000, 1)

    async def _cancel_one(self, client: AnalysisClient, app: AppClient) -> None:
        """A job that is not due for an hour, so that no worker takes it in between."""
        with self._step("enqueue for later") as step:
            due = datetime.now(UTC) + timedelta(hours=1)
            job = await client.enqueue(self.type, self.input, scheduled_at=due)
            self._jobs.add(job.id)
            if job.cached:
                step.skip("an earlier result answered at once")
                return
        with self._step("cancel, and hear of it"):
            async with hearing_changes(self.url, self.publishable_key, app.token) as changed:
                await _hear(changed, "Realtime does not get ready")
                view = await client.cancel(job.id)
                if view.status is not JobStatus.CANCELLED:
                    raise StepFailedError(f"the job is {view.status}")
                await _hear(changed, "the job is cancelled, and no event said so")

    async def _run_one(self, client: AnalysisClient, app: AppClient) -> None:
        key = str(uuid4())
        with self._step("enqueue") as step:
            job = await client.enqueue(self.type, self.input, idempotency_key=key)
            self._jobs.add(job.id)
            step.detail = str(job.id)
            if job.cached:
                raise StepFailedError("an earlier result answered: no worker took part; give another --input")
        await self._enqueue_again(app, job.id, key)
        with self._step("watch") as step:
            ended = await self._watch(client, job.id, step)
        with self._step("result") as step:
            if ended.status is not JobStatus.COMPLETED:
                why = f": {ended.error.code}: {ended.error.message}" if ended.error else ""
                raise StepFailedError(f"{ended.status}{why}")
            stored = await client.get(job.id)
            if stored.result is None or stored.result != ended.result:
                raise StepFailedError("its status tells another result than was seen")
            step.detail = f"an object with {len(stored.result)} members"

    async def _enqueue_again(self, app: AppClient, job_id: UUID, key: str) -> None:
        """The same key over the gateway is the same job, if the gateway leads to the same queue."""
        with self._step("gateway") as step:
            body = {"type": self.type, "input": dict(self.input), "idempotency_key": key}
            status, answer = await app.call_function(_GATEWAY, body)
            if status == _NOT_DEPLOYED:
                step.skip(f"the function {_GATEWAY} is not deployed")
            elif "id" not in answer:
                why = answer.get("title") or answer.get("message") or "no reason given"
                raise StepFailedError(f"HTTP {status}: {why}")
            elif answer["id"] != str(job_id):
                self._jobs.add(UUID(answer["id"]))
                raise StepFailedError("it made another job: it leads to another queue")

    async def _watch(self, client: AnalysisClient, job_id: UUID, step: Step) -> JobView:
        """The job at its end."""
        began_at, last = perf_counter(), None
        try:
            with anyio.fail_after(self.timeout_seconds):
                async with aclosing(client.watch(job_id)) as views:
                    async for view in views:
                        if last is None or last.status is not view.status:
                            step.detail += f"{view.status} after {(perf_counter() - began_at) * 1000:.0f} ms, "
                        last = view
        except TimeoutError:
            status = last.status if last else "unknown"
            why = f"still {status} after {self.timeout_seconds:g} s: does a worker run that knows {self.type}?"
            raise StepFailedError(why) from None
        assert last is not None
        step.detail = step.detail.removesuffix(", ")
        return last

    def _clean_up(self, user_id: str | None) -> None:
        with suppress(_StoppedError), self._step("clean up") as step:
            if self._jobs:
                ids = ",".join(map(str, self._jobs))
                step.detail = f"jobs deleted: {self.records.delete('analysis_jobs', {'id': f'in.({ids})'})}"
            if user_id is not None:
                self.records.delete_user(user_id)


async def _hear(changed: asyncio.Event, else_: str) -> None:
    with anyio.move_on_after(_HEAR_SECONDS):
        await changed.wait()
        changed.clear()
        return
    raise StepFailedError(f"{else_}, within {_HEAR_SECONDS:g} s")
