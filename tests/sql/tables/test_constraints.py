"""Every named CHECK refuses what it is there to refuse, whoever writes."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from tests.sql.factories import Queue

UNLEASED = "lease_id = null, leased_by = null, deadline_at = null"
ENDED = f"{UNLEASED}, finished_at = now()"
ERROR = """'{"code": "c", "message": "m"}'"""
USER = "uuid(repeat('0', 32))"

# Table, constraint, and an assignment that no row may carry, to the row of a processing job, its attempt, its worker.
CASES = [
    ("jobs", "status_is_known", f"status = 'running', {UNLEASED}"),
    ("jobs", "leased_while_processing", "lease_id = null"),
    ("jobs", "leased_while_processing", "leased_by = null"),
    ("jobs", "leased_while_processing", "deadline_at = null"),
    ("jobs", "leased_while_processing", "status = 'pending'"),
    ("jobs", "finished_when_terminal", "finished_at = now()"),
    ("jobs", "finished_when_terminal", f"status = 'cancelled', {UNLEASED}"),
    ("jobs", "result_when_completed", "result = '{}'"),
    ("jobs", "result_when_completed", f"status = 'completed', {ENDED}"),
    ("jobs", "error_when_failed", f"error = {ERROR}"),
    ("jobs", "error_when_failed", f"status = 'failed', {ENDED}"),
    ("jobs", "cached_only_when_completed", "cached = true"),
    ("jobs", "max_attempts_in_range", "max_attempts = 101"),
    ("jobs", "attempt_within_limit", "attempt = 4"),
    ("jobs", "attempt_within_limit", f"attempt = -1, status = 'pending', {UNLEASED}"),
    ("jobs", "attempts_left_while_pending", f"attempt = 3, status = 'pending', {UNLEASED}"),
    ("jobs", "attempt_counted_while_processing", "attempt = 0"),
    ("jobs", "attempt_counted_while_processing", "started_at = null"),
    ("jobs", "rescues_not_negative", "rescues = -1"),
    ("jobs", "priority_in_range", "priority = 101"),
    ("jobs", "progress_in_range", "progress = 1.01"),
    ("jobs", "progress_in_range", "progress = 'NaN'"),
    ("jobs", "phase_is_short", "phase = ''"),
    ("jobs", "partial_is_bounded", "partial = repeat('x', 16385)"),
    ("jobs", "partial_only_while_processing", f"partial = 'x', status = 'pending', {UNLEASED}"),
    ("jobs", "leased_by_is_short", "leased_by = repeat('x', 201)"),
    ("jobs", "scheduled_at_is_a_time", "scheduled_at = 'infinity'"),
    ("jobs", "input_hash_is_sha256", "input_hash = repeat('a', 65)"),
    ("jobs", "input_hash_is_sha256", "input_hash = repeat('A', 64)"),
    ("jobs", "cache_key_is_sha256", "cache_key = repeat('a', 65)"),
    ("jobs", "cache_key_is_sha256", "cache_key = repeat('A', 64)"),
    ("jobs", "input_is_object", "input = '[]'"),
    ("jobs", "input_is_bounded", "input = jsonb_build_object('x', repeat('y', 524288))"),
    ("jobs", "result_is_bounded", f"result = to_jsonb(repeat('y', 1048576)), status = 'completed', {ENDED}"),
    ("jobs", "error_has_shape", f"""error = '{{"message": "no code"}}', status = 'failed', {ENDED}"""),
    ("attempts", "attempt_is_positive", "attempt = 0"),
    ("attempts", "worker_id_is_short", "worker_id = ''"),
    ("attempts", "outcome_is_known", "outcome = 'crashed', finished_at = now()"),
    ("attempts", "finished_with_outcome", "finished_at = now()"),
    ("attempts", "finished_with_outcome", "outcome = 'completed'"),
    ("attempts", "error_unless_completed", f"outcome = 'completed', finished_at = now(), error = {ERROR}"),
    ("attempts", "error_has_shape", """outcome = 'failed', finished_at = now(), error = '{"code": "c"}'"""),
    ("attempts", "usage_is_object", "usage = '[]'"),
    ("checkpoints", "data_is_bounded", "data = to_jsonb(repeat('y', 524288))"),
    ("queue", "state_is_known", "state = 'running'"),
    ("queue", "position_is_a_time", "position = 'infinity'"),
    ("audit", "details_is_object", "details = '[]'"),
    ("workers", "id_is_short", "id = ''"),
    ("workers", "lease_seconds_in_range", "lease_seconds = 1"),
    ("workers", "state_is_object", "state = '[]'"),
    ("idempotency_keys", "key_is_short", "key = ''"),
    ("cache", "key_is_sha256", "cache_key = repeat('a', 65)"),
    ("cache", "key_is_sha256", "cache_key = repeat('A', 64)"),
    ("cache", "result_is_bounded", "result = to_jsonb(repeat('y', 1048576))"),
    ("cache", "hits_not_negative", "hits = -1"),
    ("cache", "expires_later", "expires_at = created_at"),
    ("types", "type_is_a_name", "type = 'No Name'"),
    ("types", "timeout_in_range", "timeout_seconds = 0"),
    ("types", "max_attempts_in_range", "max_attempts = 0"),
    ("types", "max_rescues_in_range", "max_rescues = -1"),
    ("types", "priority_in_range", "priority = 101"),
    ("types", "concurrency_in_range", "concurrency = 0"),
    ("types", "concurrency_per_user_in_range", "concurrency_per_user = 0"),
    ("types", "input_max_bytes_in_range", "input_max_bytes = 262145"),
    ("types", "input_schema_is_object", "input_schema = '[]'"),
    ("types", "rate_limit_in_range", "rate_limit = 0"),
    ("types", "rate_window_in_range", "rate_window_seconds = 0"),
    ("types", "max_pending_in_range", "max_pending_per_user = 0"),
    ("types", "cache_ttl_in_range", "cache_ttl_seconds = 0"),
    ("types", "cache_scope_is_known", "cache_scope = 'everybody'"),
    ("types", "prompt_version_is_short", "prompt_version = ''"),
    ("types", "retain_completed_in_range", "retain_completed_days = 0"),
    ("types", "retain_failed_in_range", "retain_failed_days = 0"),
    ("types", "flag_key_is_a_feature", "flag_key = 'all'"),
    ("flags", "key_is_a_name", "key = 'No Name'"),
    ("flags", "rollout_in_range", "rollout_bps = 10001"),
    ("flags", "lists_are_short", "deny_users = array_fill(gen_random_uuid(), '{1001}')"),
    ("flags", "lists_are_apart", f"allow_users = array[{USER}], deny_users = array[{USER}]"),
    ("flags", "all_is_a_switch", "key = 'all', rollout_bps = 0"),
    ("health", "is_one_row", "id = false"),
    ("health", "why_is_known", "why = 'mood'"),
    ("health", "why_unless_healthy", "why = null"),
    ("health_settings", "is_one_row", "id = false"),
    ("health_settings", "check_in_range", "check_seconds = -1"),
    ("health_settings", "max_wait_in_range", "max_wait_seconds = 0"),
    ("health_settings", "window_in_range", "window_seconds = 0"),
    ("health_settings", "min_attempts_in_range", "min_attempts = 0"),
    ("health_settings", "max_error_rate_in_range", "max_error_rate = 1.01"),
    ("health_settings", "recovery_in_range", "recovery_seconds = -1"),
    ("health_settings", "rollback_error_rate_in_range", "rollback_error_rate = -0.01"),
    ("health_settings", "rollback_offline_in_range", "rollback_offline_seconds = -1"),
    ("health_settings", "rollback_p95_in_range", "rollback_p95_seconds = 0"),
]


@pytest.fixture(scope="module")
def queue(shared_queue: Queue) -> Queue:
    """A processing job, a pending one, and what hangs on it, shared: what is refused leaves no trace."""
    shared_queue.new_type("echo")
    job_id, _ = shared_queue.new_claimed_job()
    shared_queue.new_job()
    shared_queue.owner.execute("insert into public.analysis_audit (actor, action) values ('me', 'test')")
    insert_key = "insert into public.analysis_idempotency_keys (user_id, key, job_id) values (%s, 'k', %s)"
    shared_queue.owner.execute(insert_key, [uuid4(), job_id])
    insert_result = (
        "insert into public.analysis_cache (cache_key, job_id, result, expires_at)"
        " values (repeat('0', 64), %s, '{}', now() + interval '1 day')"
    )
    shared_queue.owner.execute(insert_result, [job_id])
    shared_queue.owner.execute("insert into public.analysis_checkpoints (job_id, data) values (%s, '{}')", [job_id])
    return shared_queue


@pytest.mark.parametrize(("table", "constraint", "assignment"), CASES)
def test_a_row_that_breaks_an_invariant_is_refused(queue: Queue, table: str, constraint: str, assignment: str) -> None:
    where = {"types": " where type = 'echo'", "jobs": " where status = 'processing'"}.get(table, "")
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        queue.owner.execute(f"update public.analysis_{table} set {assignment}{where}".encode())
    assert refused.value.diag.constraint_name == f"analysis_{table}_{constraint}"


def test_every_check_has_a_case(queue: Queue) -> None:
    query = "select conname from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace"
    names = {name for (name,) in queue.owner.execute(query).fetchall()}
    assert names == {f"analysis_{table}_{constraint}" for table, constraint, _ in CASES}


def test_every_object_is_explained(queue: Queue) -> None:
    missing = queue.owner.execute(
        "select c.relname || '.' || a.attname from pg_class as c join pg_attribute as a on a.attrelid = c.oid"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped"
        " and col_description(c.oid, a.attnum) is null"
        " union all select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
        " and obj_description(oid, 'pg_class') is null"
        " union all select proname from pg_proc"
        " where pronamespace = any (array['public', 'private']::regnamespace[])"
        " and obj_description(oid, 'pg_proc') is null"
    ).fetchall()
    assert missing == []


def test_only_jobs_are_published_and_by_their_key(queue: Queue) -> None:
    query = "select tablename from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public'"
    assert queue.owner.execute(query).fetchall() == [("analysis_jobs",)]
    identity = "select relreplident::text from pg_class where oid = 'public.analysis_jobs'::regclass"
    assert queue.owner.execute(identity).fetchone() == ("d",)


def test_the_application_brings_its_type(queue: Queue) -> None:
    query = "select timeout_seconds, max_attempts, paused from public.analysis_types where type = 'medical_exam'"
    assert queue.owner.execute(query).fetchone() == (300, 3, False)
