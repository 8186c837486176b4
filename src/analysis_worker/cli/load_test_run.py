"""The course of a load test: jobs are asked for at a steady rate, watched to their end, and not left behind."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from analysis_worker.cli.load_test_report import EndedJob, Measured
from analysis_worker.cli.queue_access import Access
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError

NUMBER = "{number}"
_TRIES = 3
_LOOK_SECONDS = 0.5
_IDS_AT_ONCE, _IDS_A_LOOK = 100, 1000
_COLUMNS = "id,status,error,cached,created_at,started_at,finished_at"
_ENDED = "in.(completed,failed,cancelled)"


@dataclass(frozen=True, slots=True)
class Plan:
    """`mark` begins the idempotency key of every job; `{number}` in the texts of `input` stands for a job's number.

    What has not ended `patience_seconds` after the last call is cancelled.
    """

    type: str
    input: Any
    rate: float
    jobs: int
    callers: int
    patience_seconds: float
    mark: str

    def input_of(self, number: int) -> Any:
        return json.loads(json.dumps(self.input).replace(NUMBER, str(number)))


@dataclass(slots=True)
class LoadTest:
    """A caller is a thread that waits for the answer to one call before it makes the next."""

    plan: Plan
    access: Access
    measured: Measured = field(default_factory=Measured)
    _open: deque[str] = field(default_factory=deque)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, tell: Callable[[str], None]) -> Measured:
        """Ends early, and just as orderly, at Ctrl-C."""
        try:
            with self._callers() as callers:
                while any(caller.is_alive() for caller in callers):
                    self._look(tell)
            give_up_at = time.monotonic() + self.plan.patience_seconds
            while self._open and time.monotonic() < give_up_at:
                self._look(tell)
        except KeyboardInterrupt:
            self.measured.interrupted = True
        finally:
            tell(f"{len(self._open)} jobs to cancel")
            self._cancel_what_is_left()
        return self.measured

    @contextmanager
    def _callers(self) -> Iterator[Sequence[threading.Thread]]:
        """They stop when all is asked for; when the block ends before, after the call they are at."""
        numbers, started_at = iter(range(self.plan.jobs)), time.monotonic()
        callers = [threading.Thread(target=self._call, args=(numbers, started_at)) for _ in range(self.plan.callers)]
        for caller in callers:
            caller.start()
        try:
            yield callers
        finally:
            self._stop.set()
            for caller in callers:
                caller.join()
            self.measured.enqueuing_seconds = time.monotonic() - started_at

    def _call(self, numbers: Iterator[int], started_at: float) -> None:
        for number in numbers:
            due_in = started_at + number / self.plan.rate - time.monotonic()
            if self._stop.wait(max(0.0, due_in)):
                return
            self._enqueue(number)

    def _enqueue(self, number: int) -> None:
        """A call without an answer is made again under its key, as by an application; the time is that of all tries."""
        key = f"{self.plan.mark}/{number}"
        arguments = {"type": self.plan.type, "input": self.plan.input_of(number), "idempotency_key": key}
        began = time.perf_counter()
        for _ in range(_TRIES):
            try:
                answer = self.access.operations.call("enqueue_analysis", arguments)
            except StoreUnavailableError:
                continue
            except StoreRejectedError as error:
                self.measured.refused[error.code] += 1
                return
            self.measured.enqueue_seconds.append(time.perf_counter() - began)
            self._open.append(answer["id"])
            return
        self.measured.refused["no answer"] += 1

    def _look(self, tell: Callable[[str], None]) -> None:
        time.sleep(_LOOK_SECONDS)
        ids = [self._open.popleft() for _ in range(min(len(self._open), _IDS_A_LOOK))]
        rows = self._read_ended(ids)
        ended = {row["id"] for row in rows}
        self._open.extend(job_id for job_id in ids if job_id not in ended)
        self.measured.ended += map(EndedJob.of, rows)
        asked_for, done = self.measured.asked_for, len(self.measured.ended)
        tell(f"{asked_for} of {self.plan.jobs} asked for, {done} ended, {len(self._open)} on their way")

    def _cancel_what_is_left(self) -> None:
        ids = list(self._open)
        with ThreadPoolExecutor(self.plan.callers) as callers:
            list(callers.map(self._cancel, ids))
        ended_meanwhile = [EndedJob.of(row) for row in self._read_ended(ids) if row["status"] != "cancelled"]
        self.measured.ended += ended_meanwhile
        self.measured.unfinished = len(ids) - len(ended_meanwhile)

    def _cancel(self, job_id: str) -> None:
        with suppress(StoreUnavailableError):
            self.access.operations.call("cancel_job", {"job_id": job_id, "reason": f"{self.plan.mark} is over"})

    def _read_ended(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of those that have ended; none where nobody knows."""
        chunks = [ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE)]
        wanted = {"select": _COLUMNS, "status": _ENDED}
        try:
            return [
                row
                for chunk in chunks
                for row in self.access.records.read("analysis_jobs", wanted | {"id": f"in.({','.join(chunk)})"})
            ]
        except StoreUnavailableError:
            return []
