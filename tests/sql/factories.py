"""Sessions of every role on one database, and rows for them to work on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

Session: TypeAlias = psycopg.Connection[tuple[Any, ...]]
ERROR = {"code": "broken", "message": "It broke."}


CANCEL_ALL = """
update public.analysis_jobs
set status = 'cancelled', finished_at = now(), lease_id = null, leased_by = null, deadline_at = null
"""


def call(session: Session, function: str, **arguments: Any) -> Any:
    """What `select public.function(name => value, ...)` gives, for functions of one value; dicts go in as jsonb."""
    rows = call_set(session, function, **arguments)
    assert len(rows) == 1
    return rows[0]


def call_set(session: Session, function: str, **arguments: Any) -> list[Any]:
    """The same for functions that return a set."""
    names = sql.SQL(", ").join(sql.SQL("{} => %s").format(sql.Identifier(name)) for name in arguments)
    statement = sql.SQL("select public.{}({})").format(sql.Identifier(function), names)
    values = [Jsonb(value) if isinstance(value, dict) else value for value in arguments.values()]
    return [value for (value,) in session.execute(statement, values).fetchall()]


@dataclass(slots=True)
class Refusal:
    message: str = ""
    detail: str = ""


@contextmanager
def refused(sqlstate: str, message: str = "") -> Iterator[Refusal]:
    """The block has to end in this SQLSTATE, and its message, one line, has to contain `message`."""
    refusal = Refusal()
    with pytest.raises(psycopg.Error) as caught:
        yield refusal
    refusal.message = str(caught.value.diag.message_primary)
    refusal.detail = caught.value.diag.message_detail or ""
    assert caught.value.sqlstate == sqlstate, refusal
    assert message in refusal.message
    assert refusal.message.isascii()
    assert refusal.message.isprintable()


def eventually(condition: Callable[[], bool], within_seconds: float = 10.0) -> None:
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


@dataclass(slots=True)
class Queue:
    """One database with our migrations. `owner` is the role that owns the tables and sees every row."""

    url: str
    owner: Session
    _sessions: list[Session] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner.execute("create temporary table migrated_types as table public.analysis_types")

    def session(self, role: str, user_id: UUID | None = None) -> Session:
        """A session of its own, as PostgREST would open it for a request with this role and user."""
        session: Session = psycopg.connect(self.url, autocommit=True)
        self._sessions.append(session)
        claims = {"role": role} | ({"sub": str(user_id)} if user_id else {})
        session.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])
        session.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        return session

    def worker(self) -> Session:
        return self.session("service_role")

    def user(self, user_id: UUID) -> Session:
        return self.session("authenticated", user_id)

    def close(self) -> None:
        while self._sessions:
            self._sessions.pop().close()

    def empty(self) -> None:
        """Back to what the migrations leave."""
        self.owner.execute(
            "truncate public.analysis_jobs, public.analysis_workers, public.analysis_audit cascade;"
            "delete from public.analysis_types;"
            "insert into public.analysis_types select * from pg_temp.migrated_types;"
            "delete from storage.objects; delete from storage.buckets where id <> 'analysis-inputs';"
            "delete from auth.users"
        )

    def new_user(self) -> UUID:
        user_id = uuid4()
        self.owner.execute("insert into auth.users (id) values (%s)", [user_id])
        return user_id

    def new_type(self, name: str = "echo", **policy: Any) -> str:
        self._insert("public.analysis_types", {"type": name} | policy, "type")
        return name

    def new_job(self, **columns: Any) -> UUID:
        """A pending job of type medical_exam, unless said otherwise."""
        values = {"type": "medical_exam", "input": {}} | columns
        job_id = self._insert("public.analysis_jobs", values, "id")
        assert isinstance(job_id, UUID)
        return job_id

    def new_claimed_job(self, worker: str = "w1", **columns: Any) -> tuple[UUID, UUID]:
        """(job_id, lease_id) of a job that was enqueued and claimed, the only claimable one of its kind."""
        job_id, lease_id = self.new_job(**columns), uuid4()
        claimed = claim(self.worker(), worker, lease_id, types=[columns.get("type", "medical_exam")], max_jobs=100)
        assert str(job_id) in [job["id"] for job in claimed]
        return job_id, lease_id

    def new_file(self, name: str, bucket: str = "analysis-inputs") -> dict[str, str]:
        self._insert("storage.objects", {"bucket_id": bucket, "name": name}, "id")
        return {"bucket": bucket, "path": name}

    def job(self, job_id: Any) -> Any:
        """The stored row."""
        return self._row("select to_jsonb(job) from public.analysis_jobs as job where id = %s", job_id)

    def attempt(self, job_id: Any, lease_id: Any) -> Any:
        query = "select to_jsonb(a) from public.analysis_attempts as a where job_id = %s and lease_id = %s"
        return self._row(query, job_id, lease_id)

    def everything(self) -> Any:
        """All rows of all jobs and attempts: equal before and after means that nothing changed, not even rewritten."""
        return self.owner.execute(
            "select 'job', xmin::text, to_jsonb(j) from public.analysis_jobs as j"
            " union all select 'attempt', xmin::text, to_jsonb(a) from public.analysis_attempts as a order by 1, 3"
        ).fetchall()

    def out_of_step(self) -> Any:
        """Jobs that are pending and not in the queue, or the other way round: none, whatever happened."""
        return self.owner.execute(
            "select id, job_id, status, state from public.analysis_queue as queue"
            " full join public.analysis_jobs as job on job.id = queue.job_id"
            " where (job.status = 'pending') is distinct from (queue.job_id is not null)"
        ).fetchall()

    def silence(self, worker: str, seconds: float) -> None:
        """As if the worker had given its last sign of life so long ago."""
        statement = "update public.analysis_workers set heartbeat_at = now() - make_interval(secs => %s) where id = %s"
        assert self.owner.execute(statement, [seconds, worker]).rowcount == 1

    def waits_for_lock(self, session: Session) -> bool:
        query = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
        return bool(self._row(query, session.info.backend_pid))

    def _insert(self, table: str, values: dict[str, Any], returning: str) -> Any:
        statement = sql.SQL("insert into {} ({}) values ({}) returning {}").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
            sql.Identifier(returning),
        )
        return self._row(statement, *[Jsonb(value) if isinstance(value, dict) else value for value in values.values()])

    def _row(self, query: Any, *values: Any) -> Any:
        row = self.owner.execute(query, values).fetchone()
        assert row is not None
        return row[0]


def claim(
    session: Session, worker: str, lease_id: UUID, types: list[str] | None = None, max_jobs: int = 1
) -> list[Any]:
    types = ["medical_exam"] if types is None else types
    return call_set(session, "claim_job", worker_id=worker, lease_id=lease_id, types=types, max_jobs=max_jobs)
