"""Single jobs that show whether events wake the workers."""

from __future__ import annotations

import time
from uuid import UUID, uuid4

import psycopg

from tests.chaos.fleet import Fleet
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import enqueue
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until

_CLAIMED_S = 20.0
_PAUSE_S = 0.3
_EVENT_DRIVEN_S = 15.0
_SETTLED_S = 20.0
_BY_EVENT = {"realtime", "doorbell"}


def wait_until_event_driven(stack: ChaosStack, fleet: Fleet, within_s: float) -> list[UUID]:
    """Until a new job is claimed because it was announced, and not by a sweep; returns the jobs that it took."""
    sent: list[UUID] = []
    give_up_at = time.monotonic() + within_s
    while not (sent and _BY_EVENT.intersection(fleet.wakes(sent[-1]))):
        assert time.monotonic() < give_up_at, f"no event woke a worker within {within_s:g} s"
        time.sleep(_PAUSE_S)
        sent.append(probe(stack, fleet))
    return sent


def probe(stack: ChaosStack, fleet: Fleet) -> UUID:
    """A new job, claimed by somebody."""
    job_id = uuid4()
    with psycopg.connect(stack.variables.db_url, autocommit=True) as connection:
        enqueue(connection, job_id, {"seconds": 0}, 0)
    wait_until("the probe claimed", lambda: fleet.wakes(job_id), _CLAIMED_S)
    return job_id


def waits(stack: ChaosStack) -> list[float]:
    """Seconds from each job's arrival to its first attempt, the shortest first."""
    statement = """
        select extract(epoch from attempt.started_at - job.created_at)::float8 as seconds
        from public.analysis_jobs as job
        join public.analysis_attempts as attempt on attempt.job_id = job.id and attempt.attempt = 1
        order by seconds
    """
    return [row["seconds"] for row in stack.query(statement)]


def assert_recovered(stack: ChaosStack, fleet: Fleet, ids: list[UUID], patience_s: float) -> None:
    """Events wake the workers again, every row is in order, and no job has waited longer than `patience_s`."""
    ids = ids + wait_until_event_driven(stack, fleet, _EVENT_DRIVEN_S)
    wait_until_settled(stack, ids, _SETTLED_S)
    print(assert_invariants(stack, ids, fleet.executions))
    waited = waits(stack)[-1]
    assert waited < patience_s, f"a job waited {waited:.1f} s"
