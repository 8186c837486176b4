"""Who may do what: every role against every table and every function, with the expected answer stated."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.sql.factories import Queue, Session, refused

TABLES = ["analysis_types", "analysis_jobs", "analysis_attempts", "analysis_workers"]
ROLES = ["anon", "authenticated", "service_role"]
USER_FUNCTIONS = {"enqueue_analysis", "get_analysis_status", "cancel_analysis"}
WORKER_FUNCTIONS = {
    "claim_job",
    "complete_job",
    "fail_job",
    "defer_job",
    "release_job",
    "report_progress",
    "heartbeat_worker",
    "deregister_worker",
    "reconcile_jobs",
}
WORKER_PARTS = {
    "check_usage",
    "describe_lease",
    "end_attempt",
    "end_stuck_attempts",
    "fail_attempt",
    "retry_delay",
    "return_attempt",
}
SCHEMA_PARTS = {
    "check_input_schema",
    "extend_json_path",
    "find_array_problem",
    "find_choice_problem",
    "find_json_problem",
    "find_object_problem",
    "find_scalar_problem",
    "find_schema_problem",
    "is_json_type",
    "is_keyword_value",
    "is_pattern",
    "is_schema_loop",
    "validate_json",
}
ENQUEUE_PARTS = {
    "add_job",
    "caller_is_service",
    "check_input",
    "check_quota",
    "check_rate",
    "count_hit",
    "describe_enqueued",
    "find_cached_result",
    "find_keyed_job",
    "find_twin",
    "hash_cache_key",
    "hash_input",
    "limit_priority",
    "read_input_files",
    "refuse_for_now",
    "remember_key",
    "remember_result",
}
OWNER_PARTS = SCHEMA_PARTS | ENQUEUE_PARTS
STATEMENTS = {
    "select": "select count(*) from public.{}",
    "insert": "insert into public.{} select * from public.{} limit 0",
    "update": "update public.{} set {} = {} where false",
    "delete": "delete from public.{} where false",
    "truncate": "truncate public.{} cascade",
}
FIRST_COLUMN = {"analysis_types": "type", "analysis_attempts": "attempt"}


@pytest.fixture(scope="module")
def queue(shared_queue: Queue) -> Queue:
    return shared_queue


def allowed(role: str, table: str, operation: str) -> bool:
    match role:
        case "service_role":
            return operation != "truncate"
        case "authenticated":
            return (table, operation) == ("analysis_jobs", "select")
        case _:
            return False


@pytest.mark.parametrize("operation", STATEMENTS)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ROLES)
def test_tables_are_open_to_nobody_but_who_needs_them(queue: Queue, role: str, table: str, operation: str) -> None:
    session = queue.session(role, queue.new_user() if role == "authenticated" else None)
    column = FIRST_COLUMN.get(table, "id")
    names = [table, table] if operation == "insert" else [table, column, column]
    statement = STATEMENTS[operation].format(*names).encode()
    if allowed(role, table, operation):
        session.execute(statement)
    else:
        with refused("42501", "permission denied"):
            session.execute(statement)


def test_functions_are_open_to_nobody_but_who_needs_them(queue: Queue) -> None:
    rows = queue.owner.execute(
        "select p.pronamespace::regnamespace::text, p.proname::text, r.rolname::text"
        " from pg_proc as p cross join pg_roles as r"
        " where p.pronamespace = any (array['public', 'private']::regnamespace[])"
        " and r.rolname = any (%s) and has_function_privilege(r.oid, p.oid, 'execute')",
        [ROLES],
    ).fetchall()
    users = {(schema, name) for schema in ("public", "private") for name in USER_FUNCTIONS}
    workers = {("public", name) for name in WORKER_FUNCTIONS} | {("private", name) for name in WORKER_PARTS}
    expected = {(*function, role) for function in users for role in ("authenticated", "service_role")}
    assert set(rows) == expected | {(*function, "service_role") for function in workers}


def test_there_are_no_other_functions_and_none_under_two_signatures(queue: Queue) -> None:
    query = "select pronamespace::regnamespace::text, proname::text from pg_proc where pronamespace = %s::regnamespace"
    public = [name for _, name in queue.owner.execute(query, ["public"]).fetchall()]
    private = [name for _, name in queue.owner.execute(query, ["private"]).fetchall()]
    assert sorted(public) == sorted(USER_FUNCTIONS | WORKER_FUNCTIONS)
    assert sorted(private) == sorted(USER_FUNCTIONS | WORKER_PARTS | OWNER_PARTS)


def test_only_private_functions_run_as_their_owner_and_all_have_an_empty_search_path(queue: Queue) -> None:
    rows = queue.owner.execute(
        "select pronamespace::regnamespace::text, proname::text, prosecdef, proconfig, l.lanname::text"
        " from pg_proc join pg_language as l on l.oid = prolang"
        " where pronamespace = any (array['public', 'private']::regnamespace[])"
    ).fetchall()
    assert {(schema, name) for schema, name, definer, _, _ in rows if definer} == {
        ("private", name) for name in USER_FUNCTIONS | {"check_input_schema"}
    }
    assert {(tuple(config), language) for *_, config, language in rows} == {(('search_path=""',), "plpgsql")}


@pytest.mark.parametrize("function", sorted(USER_FUNCTIONS | WORKER_FUNCTIONS))
def test_without_signing_in_nothing_can_be_called(queue: Queue, function: str) -> None:
    arguments = {
        "enqueue_analysis": "'medical_exam', '{}'",
        "claim_job": "'w', gen_random_uuid(), '{}', 1",
        "complete_job": "gen_random_uuid(), gen_random_uuid(), '{}'",
        "fail_job": "gen_random_uuid(), gen_random_uuid(), '{}', true",
        "defer_job": "gen_random_uuid(), gen_random_uuid(), 1",
        "release_job": "gen_random_uuid(), gen_random_uuid()",
        "report_progress": "gen_random_uuid(), gen_random_uuid()",
        "heartbeat_worker": "'w'",
        "deregister_worker": "'w'",
        "reconcile_jobs": "",
    }.get(function, "gen_random_uuid()")
    with refused("42501", "permission denied for function"):
        queue.session("anon").execute(f"select public.{function}({arguments})".encode())


def visible(session: Session) -> list[Any]:
    return [job_id for (job_id,) in session.execute("select id from public.analysis_jobs").fetchall()]


def test_users_see_their_own_jobs_and_services_all(queue: Queue) -> None:
    owner, other = queue.new_user(), queue.new_user()
    own = queue.new_job(user_id=owner)
    job_of_nobody = queue.new_job()
    assert visible(queue.user(owner)) == [own]
    assert visible(queue.user(other)) == []
    assert visible(queue.session("authenticated")) == []
    assert {own, job_of_nobody} <= set(visible(queue.worker()))


def test_a_user_cannot_pass_for_a_service_by_claims(queue: Queue) -> None:
    job_id = queue.new_job()
    session = queue.user(uuid4())
    session.execute("""select set_config('request.jwt.claims', '{"role": "service_role"}', false)""")
    with refused("PT404"):
        session.execute("select public.get_analysis_status(%s)", [job_id])
    with refused("PT401"):
        session.execute("select public.enqueue_analysis('medical_exam', '{}')")
