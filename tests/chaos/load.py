"""Jobs that arrive one after the other, whatever happens to the database meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from tests.chaos.apps import TYPE
from tests.chaos.stack import DATABASE_BACK_S, ChaosStack
from tests.chaos.waiting import wait_until

Inputs = Callable[[int], Mapping[str, object]]
_INSERT = """
insert into public.analysis_jobs (id, type, max_attempts, input, user_id)
select %s, type, max_attempts, %s, (select id from auth.users order by id limit 1 offset %s)
from public.analysis_types
where type = %s
on conflict do nothing
"""


@dataclass(slots=True)
class Load:
    """`ids` are those of all jobs, in the order of their arrival; they are known before."""

    stack: ChaosStack
    ids: list[UUID]
    per_second: float
    inputs: Inputs
    arrived: int = 0
    _thread: threading.Thread | None = None

    def wait_for(self, share: float) -> None:
        """Until this share of the jobs has arrived."""
        count = share * len(self.ids)
        wait_until(f"{count:g} jobs arrived", lambda: self.arrived >= count, DATABASE_BACK_S + count / self.per_second)

    def finish(self, within_s: float = 60.0) -> None:
        """Wait until every job has arrived."""
        assert self._thread is not None
        self._thread.join(within_s)
        assert self.arrived == len(self.ids), f"only {self.arrived} of {len(self.ids)} jobs arrived"

    def _run(self) -> None:
        started_at = time.monotonic()
        while self.arrived < len(self.ids):
            try:
                with psycopg.connect(self.stack.variables.db_url, autocommit=True) as connection:
                    while self.arrived < len(self.ids):
                        due_at = started_at + self.arrived / self.per_second
                        time.sleep(max(0.0, due_at - time.monotonic()))
                        enqueue(connection, self.ids[self.arrived], self.inputs(self.arrived), self.arrived)
                        self.arrived += 1
            except psycopg.OperationalError:
                time.sleep(0.05)


def enqueue(connection: psycopg.Connection, job_id: UUID, input: Mapping[str, object], number: int) -> None:
    """For one of ten users or for nobody, by its number."""
    connection.execute(_INSERT, (job_id, Jsonb(dict(input)), number % 11, TYPE))


@contextmanager
def load(stack: ChaosStack, count: int, per_second: float, seconds: float = 0.02) -> Iterator[Load]:
    """`count` jobs of about so many seconds, arriving in the background."""
    with varied_load(stack, count, per_second, lambda _: {"seconds": seconds}) as running:
        yield running


@contextmanager
def varied_load(stack: ChaosStack, count: int, per_second: float, inputs: Inputs) -> Iterator[Load]:
    """As `load`, with the input of each job by its number."""
    running = Load(stack, [uuid4() for _ in range(count)], per_second, inputs)
    running._thread = threading.Thread(target=running._run, daemon=True)
    running._thread.start()
    yield running
    running.finish(DATABASE_BACK_S + count / per_second)
