"""Calls of users and operators read what they need, however much is kept: counted by the database, row by row."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.factories import Queue, Session, call, refused

SETTLED = 20_000
# Old jobs of many users and of ours, each with its attempt; the bulk of what a long-lived queue keeps.
KEPT = """
insert into public.analysis_jobs (
    user_id, type, input, input_hash, status, result, attempt, created_at, scheduled_at, started_at, finished_at
)
select
    case when n %% 4 = 0 then %(user_id)s::uuid end, 'echo', '{}', encode(sha256(n::text::bytea), 'hex'), 'completed',
    '{}', 1, at, at, at, at
from generate_series(1, %(jobs)s) as n,
    lateral (select now() - interval '1 day' - n * interval '1 second') as past (at)
"""
ATTEMPTS = """
insert into public.analysis_attempts (job_id, lease_id, attempt, worker_id, started_at, finished_at, outcome)
select id, gen_random_uuid(), 1, 'w1', started_at, finished_at, 'completed' from public.analysis_jobs
"""
WAITING = """
insert into public.analysis_jobs (user_id, type, input, input_hash)
select %(user_id)s::uuid, 'echo', '{}', encode(sha256(('pending ' || n)::bytea), 'hex')
from generate_series(1, %(jobs)s) as n
"""


@pytest.fixture(scope="module")
def user_id(shared_queue: Queue) -> UUID:
    """A user of a queue that has been busy for long, with 2,000 jobs waiting."""
    shared_queue.new_type(
        "echo",
        rate_limit=50_000,
        max_pending_per_user=5_000,
        cache_ttl_seconds=3600,
        retain_completed_days=100,
        retain_failed_days=100,
    )
    user_id = shared_queue.new_user()
    owner = shared_queue.owner
    owner.execute(KEPT, {"user_id": user_id, "jobs": SETTLED})
    owner.execute(ATTEMPTS)
    owner.execute(WAITING, {"user_id": user_id, "jobs": 2_000})
    owner.execute("analyze")
    return user_id


def rows_read(session: Session, function: str, **arguments: Any) -> dict[str, int]:
    """Rows that the first call of a session fetched, by table; a scan of a whole table counts as all its rows."""
    query = (
        "select relname::text, seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables"
        " where schemaname = 'public'"
    )
    with session.transaction(force_rollback=True):
        call(session, function, **arguments)
        return {name.removeprefix("analysis_"): count for name, count in session.execute(query).fetchall()}


def test_enqueuing_reads_a_handful_and_counts_no_further_than_the_limits(shared_queue: Queue, user_id: UUID) -> None:
    asked = {"type": "echo", "input": {"n": 1}, "idempotency_key": "k"}
    read = rows_read(shared_queue.user(user_id), "enqueue_analysis", **asked)
    assert read["jobs"] <= 2_050
    assert read["queue"] <= 2_050
    assert read["attempts"] == 0
    shared_queue.owner.execute("update public.analysis_types set rate_limit = null, max_pending_per_user = null")
    read = rows_read(shared_queue.user(user_id), "enqueue_analysis", **asked)
    assert read["jobs"] <= 20
    assert read["queue"] <= 20


def test_a_full_rate_is_found_without_reading_beyond_it(shared_queue: Queue, user_id: UUID) -> None:
    session = shared_queue.user(user_id)
    shared_queue.owner.execute("update public.analysis_types set rate_limit = 10 where type = 'echo'")
    query = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'analysis_jobs'"
    with session.transaction(force_rollback=True):
        with refused("PT429"), session.transaction():
            call(session, "enqueue_analysis", type="echo", input={})
        row = session.execute(query).fetchone()
    shared_queue.owner.execute("update public.analysis_types set rate_limit = null where type = 'echo'")
    assert row is not None
    assert row[0] <= 20


def test_a_status_is_one_job_and_its_attempts(shared_queue: Queue, user_id: UUID) -> None:
    row = shared_queue.owner.execute("select job_id from public.analysis_attempts limit 1").fetchone()
    read = rows_read(shared_queue.worker(), "get_analysis_status", job_id=row and row[0])
    assert (read["jobs"], read["attempts"]) == (1, 1)


def test_numbers_are_made_from_what_is_in_flight_and_in_the_window(shared_queue: Queue, user_id: UUID) -> None:
    read = rows_read(shared_queue.worker(), "queue_stats")
    assert read["jobs"] <= 2_050
    assert read["attempts"] <= 10  # the planner looks at the ends of an index


def test_the_log_reads_about_as_many_jobs_as_it_has_lines(shared_queue: Queue, user_id: UUID) -> None:
    read = rows_read(shared_queue.worker(), "read_log", max_lines=100)
    assert read["jobs"] <= 120  # the planner looks at the ends of indexes
    assert read["attempts"] <= 20
    row = shared_queue.owner.execute("select job_id from public.analysis_attempts limit 1").fetchone()
    read = rows_read(shared_queue.worker(), "read_log", job_id=row and row[0])
    assert read["jobs"] <= 50  # it is looked for under each type and end
    assert read["attempts"] <= 5


def test_pruning_with_nothing_to_prune_reads_no_job(shared_queue: Queue, user_id: UUID) -> None:
    assert rows_read(shared_queue.worker(), "prune_jobs")["jobs"] == 0


def test_pruning_reads_what_it_deletes(shared_queue: Queue, user_id: UUID) -> None:
    shared_queue.owner.execute("update public.analysis_types set retain_completed_days = 1 where type = 'echo'")
    read = rows_read(shared_queue.worker(), "prune_jobs", max_jobs=10)
    shared_queue.owner.execute("update public.analysis_types set retain_completed_days = 100 where type = 'echo'")
    assert read["jobs"] <= 50
    assert read["attempts"] <= 50


def test_deleting_a_user_without_data_reads_nobodys(shared_queue: Queue, user_id: UUID) -> None:
    read = rows_read(shared_queue.worker(), "delete_user_data", user_id=uuid4())
    assert (read["jobs"], read["attempts"]) == (0, 0)
