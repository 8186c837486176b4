"""What the doorbell says, and that ringing it can never cost a job."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

INSERT = (
    "insert into public.analysis_jobs (type, input) select 'medical_exam', %s from generate_series(1, %s) returning id"
)


@pytest.fixture
def database(migrated: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(migrated, autocommit=True)


def rung(database: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    statement = "select topic, event, private, payload - 'id' from realtime.messages order by inserted_at"
    return database.execute(statement).fetchall()


def test_one_job_is_announced_by_its_id_and_nothing_else(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        row = database.execute(INSERT, (Jsonb({"secret": "CPF"}), 1)).fetchone()
        assert row is not None
        assert rung(database) == [("analysis_jobs", "job", True, {"job_id": str(row[0])})]


def test_a_statement_that_adds_many_jobs_rings_once(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        database.execute(INSERT, (Jsonb({}), 50))
        assert rung(database) == [("analysis_jobs", "job", True, {})]


def test_a_job_that_is_no_work_does_not_ring(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        database.execute(
            "insert into public.analysis_jobs (type, input, status, result, cached, finished_at)"
            " values ('medical_exam', '{}', 'completed', '{}', true, now())"
        )
        assert rung(database) == []


def test_a_rolled_back_job_does_not_ring(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    with database:
        with database.transaction(force_rollback=True):
            database.execute(INSERT, (Jsonb({}), 1))
        assert rung(database) == []


def test_a_doorbell_that_is_broken_loses_no_job(migrated: str, database: psycopg.Connection[tuple[Any, ...]]) -> None:
    superuser = migrated.replace("//postgres:", "//supabase_admin:")
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute("drop table realtime.messages cascade")
    with database:
        database.execute(INSERT, (Jsonb({}), 1))
        assert database.execute("select count(*) from public.analysis_jobs").fetchone() == (1,)
