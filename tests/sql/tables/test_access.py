"""Who may do what: every role against every table and every function, with the expected answer stated.

A table, or a function in `public`, that is missing here fails; functions in `private` are closed to everybody unless
they are the body of one that is listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.sql.factories import Queue, Session, refused

ROLES = ["anon", "authenticated", "service_role", "analysis_worker"]
PERSONAS = {
    "anon": "anon",
    "owner": "authenticated",
    "other": "authenticated",
    "service": "service_role",
    "worker": "analysis_worker",
}
DENIED = "42501"

# What service_role may do with a table. Everybody else: nothing, but for the rows that READERS of jobs see.
TABLES = {
    "analysis_types": "select insert update delete",
    "analysis_jobs": "select insert update delete",
    "analysis_queue": "select",
    "analysis_checkpoints": "select",
    "analysis_attempts": "select insert update delete",
    "analysis_workers": "select insert update delete",
    "analysis_idempotency_keys": "select delete",
    "analysis_cache": "select delete",
    "analysis_audit": "select",
    "analysis_flags": "select",
    "analysis_health": "select",
    "analysis_health_settings": "select update",
}
READERS = {"owner", "other", "worker"}
KEYS = {
    "analysis_types": "type",
    "analysis_queue": "job_id",
    "analysis_checkpoints": "job_id",
    "analysis_attempts": "job_id",
    "analysis_idempotency_keys": "job_id",
    "analysis_cache": "job_id",
    "analysis_flags": "key",
}
STATEMENTS = {
    "select": "select {key} from public.{table}",
    "insert": "insert into public.{table} overriding user value select * from public.{table} limit 0",
    "update": "update public.{table} set {key} = default where false",
    "delete": "delete from public.{table} where false",
    "truncate": "truncate public.{table} cascade",
}

USERS, WORKERS, OPERATORS = {"owner", "other", "service"}, {"worker", "service"}, {"service"}
LEASE = "%(job)s, %(lease)s"
# Who may call a function, and with what. %(job)s is owner's, running under %(lease)s.
FUNCTIONS = {
    "enqueue_analysis": (USERS, "'echo', '{}'"),
    "get_analysis_status": (USERS, "%(job)s"),
    "cancel_analysis": (USERS, "%(job)s"),
    "claim_job": (WORKERS, "'w2', gen_random_uuid(), '{echo}', 1"),
    "complete_job": (WORKERS, f"{LEASE}, '{{}}'"),
    "fail_job": (WORKERS, f"""{LEASE}, '{{"code": "c", "message": "m"}}', true"""),
    "defer_job": (WORKERS, f"{LEASE}, 1"),
    "release_job": (WORKERS, LEASE),
    "settle_jobs": (WORKERS, "'[{}]'"),
    "report_progress": (WORKERS, f"{LEASE}, 0.5"),
    "save_checkpoint": (WORKERS, f"{LEASE}, '{{}}'"),
    "heartbeat_worker": (WORKERS, "'w2'"),
    "deregister_worker": (WORKERS, "'w1'"),
    "reconcile_jobs": (WORKERS, ""),
    "get_spending": (WORKERS, ""),
    "replay_job": (OPERATORS, "%(job)s"),
    "replay_jobs": (OPERATORS, ""),
    "prune_jobs": (OPERATORS, ""),
    "delete_user_data": (OPERATORS, "gen_random_uuid()"),
    "queue_stats": (WORKERS, ""),
    "pause_type": (OPERATORS, "'echo'"),
    "resume_type": (OPERATORS, "'echo'"),
    "cancel_job": (OPERATORS, "%(job)s"),
    "describe_installation": (OPERATORS, ""),
    "read_log": (OPERATORS, ""),
    "set_type_concurrency": (OPERATORS, "'echo', 1, null"),
    "reveal_job": (OPERATORS, "%(job)s"),
    "count_replayable_jobs": (OPERATORS, ""),
    "list_jobs": (OPERATORS, ""),
    "describe_history": (OPERATORS, ""),
    "describe_errors": (OPERATORS, ""),
    "describe_usage": (OPERATORS, ""),
    "get_flags": (USERS, ""),
    "describe_flags": (OPERATORS, ""),
    "enable_flag": (OPERATORS, "'sofia'"),
    "disable_flag": (OPERATORS, "'sofia'"),
    "roll_out_flag": (OPERATORS, "'sofia', 1000"),
    "set_flag_users": (OPERATORS, "'sofia', '{}', '{}'"),
    "roll_back": (OPERATORS, ""),
    "check_health": (OPERATORS, ""),
    "check_sync_analysis": ({"owner", "other"}, "'echo', '{}'"),
    "record_sync_analysis": (
        OPERATORS,
        "(select user_id from public.analysis_jobs where id = %(job)s), 'echo', '{}', '{}', '{}', 1, 'k'",
    ),
    "find_whatsapp_user": (OPERATORS, "'5511987654321'"),
    "enqueue_whatsapp_message": (OPERATORS, "'5511987654321', 'wamid.1', '{}'"),
}
# Those who may call and are told that there is no such thing, or to sign in.
TURNED_AWAY = {
    ("get_analysis_status", "other"): "PT404",
    ("cancel_analysis", "other"): "PT404",
    ("get_flags", "anon"): "PT401",
}
# Run as their owner without being the body of a public function.
TRIGGERS = {
    "check_input_schema",
    "follow_changes",
    "tell_of_type",
    "queue_new_jobs",
    "ring_doorbell",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A running and a pending job of `owner`, and a pending one of nobody."""

    queue: Queue
    owner: UUID
    other: UUID
    running: UUID
    lease: UUID
    pending: UUID
    job_of_nobody: UUID

    def session(self, persona: str) -> Session:
        return self.queue.session(PERSONAS[persona], {"owner": self.owner, "other": self.other}.get(persona))


@pytest.fixture(scope="module")
def scene(shared_queue: Queue) -> Scene:
    owner, other = shared_queue.new_user(), shared_queue.new_user()
    shared_queue.new_type("echo")
    running, lease = shared_queue.new_claimed_job(user_id=owner, type="echo")
    pending = shared_queue.new_job(user_id=owner, type="echo")
    return Scene(shared_queue, owner, other, running, lease, pending, shared_queue.new_job())


@pytest.fixture(autouse=True)
def closed_sessions(scene: Scene) -> Iterator[None]:
    yield
    scene.queue.close()


def may_touch(persona: str, table: str, operation: str) -> bool:
    if persona == "service":
        return operation in TABLES[table].split()
    return persona in READERS and (table, operation) == ("analysis_jobs", "select")


@pytest.mark.parametrize("operation", STATEMENTS)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("persona", PERSONAS)
def test_tables_are_open_to_nobody_but_who_needs_them(scene: Scene, persona: str, table: str, operation: str) -> None:
    statement = STATEMENTS[operation].format(table=table, key=KEYS.get(table, "id"))
    session = scene.session(persona)
    if may_touch(persona, table, operation):
        session.execute(statement.encode())
    else:
        with refused(DENIED, "permission denied"):
            session.execute(statement.encode())


def test_every_table_and_view_has_its_expectation(scene: Scene) -> None:
    query = (
        "select c.relnamespace::regnamespace::text, c.relname::text from pg_class as c"
        " where c.relnamespace = any (array['public', 'private']::regnamespace[]) and c.relkind in ('r', 'v', 'm', 'p')"
    )
    tables = set(scene.queue.owner.execute(query).fetchall())
    assert tables == {("public", table) for table in TABLES} | {("private", "live_leases")}
    for role in ROLES:
        granted = scene.queue.owner.execute("select has_table_privilege(%s, 'private.live_leases', 'select')", [role])
        assert granted.fetchone() == (False,)


def test_everybody_sees_the_jobs_that_are_theirs_to_see(scene: Scene) -> None:
    def visible(persona: str) -> set[Any]:
        return {
            job_id for (job_id,) in scene.session(persona).execute("select id from public.analysis_jobs").fetchall()
        }

    assert visible("owner") == {scene.running, scene.pending}
    assert visible("other") == set()
    assert visible("service") == {scene.running, scene.pending, scene.job_of_nobody}
    assert visible("worker") == {scene.pending, scene.job_of_nobody}


@pytest.mark.parametrize("column", ["input", "result", "user_id", "error", "*"])
def test_a_worker_reads_of_a_pending_job_that_it_is_there_and_nothing_else(scene: Scene, column: str) -> None:
    session = scene.session("worker")
    assert session.execute("select distinct status from public.analysis_jobs").fetchall() == [("pending",)]
    with refused(DENIED, "permission denied for table analysis_jobs"):
        session.execute(f"select {column} from public.analysis_jobs".encode())


def answer(session: Session, function: str, arguments: str, scene: Scene) -> str:
    """`ok` or the SQLSTATE of calling it; whatever it did is undone."""
    with session.transaction(force_rollback=True):
        try:
            statement = f"select public.{function}({arguments})".encode()
            session.execute(statement, {"job": scene.running, "lease": scene.lease})
        except psycopg.Error as error:
            return str(error.sqlstate)
    return "ok"


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("persona", PERSONAS)
def test_functions_are_open_to_nobody_but_who_needs_them(scene: Scene, persona: str, function: str) -> None:
    callers, arguments = FUNCTIONS[function]
    expected = TURNED_AWAY.get((function, persona), "ok" if persona in callers else DENIED)
    assert answer(scene.session(persona), function, arguments, scene) == expected


def test_every_function_has_its_expectation_and_one_signature(scene: Scene) -> None:
    query = "select proname::text from pg_proc where pronamespace = 'public'::regnamespace"
    assert sorted(name for (name,) in scene.queue.owner.execute(query).fetchall()) == sorted(FUNCTIONS)
    query = (
        "select proname::text from pg_proc where pronamespace = 'private'::regnamespace"
        " group by proname having count(*) > 1"
    )
    assert scene.queue.owner.execute(query).fetchall() == []


def test_of_private_functions_only_the_bodies_of_public_ones_can_be_called(scene: Scene) -> None:
    rows = scene.queue.owner.execute(
        "select p.pronamespace::regnamespace::text, p.proname::text, r.rolname::text"
        " from pg_proc as p cross join pg_roles as r"
        " where p.pronamespace = any (array['public', 'private']::regnamespace[])"
        " and r.rolname = any (%s) and has_function_privilege(r.oid, p.oid, 'execute')",
        [ROLES],
    ).fetchall()
    assert set(rows) == {
        (schema, function, PERSONAS[persona])
        for function, (callers, _) in FUNCTIONS.items()
        for persona in callers
        for schema in ("public", "private")
    } | {("public", "get_flags", "anon")}


def test_only_private_functions_run_as_their_owner_and_all_have_an_empty_search_path(scene: Scene) -> None:
    rows = scene.queue.owner.execute(
        "select pronamespace::regnamespace::text, proname::text, prosecdef, proconfig, l.lanname::text"
        " from pg_proc join pg_language as l on l.oid = prolang"
        " where pronamespace = any (array['public', 'private']::regnamespace[])"
    ).fetchall()
    definers = {(schema, name) for schema, name, definer, _, _ in rows if definer}
    assert definers == {("private", name) for name in set(FUNCTIONS) | TRIGGERS}
    assert {(config[0], language) for *_, config, language in rows} == {('search_path=""', "plpgsql")}
    settings = {setting.split("=")[0] for *_, config, _ in rows for setting in config[1:]}
    assert settings <= {"enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "plan_cache_mode"}


def test_the_workers_role_cannot_log_in_and_passes_no_row_security(scene: Scene) -> None:
    query = (
        "select rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles"
        " where rolname = 'analysis_worker'"
    )
    assert scene.queue.owner.execute(query).fetchone() == (False,) * 6


def test_a_user_cannot_pass_for_a_service_by_claims(scene: Scene) -> None:
    session = scene.queue.user(uuid4())
    session.execute("""select set_config('request.jwt.claims', '{"role": "service_role"}', false)""")
    with refused("PT404"):
        session.execute("select public.get_analysis_status(%s)", [scene.job_of_nobody])
    with refused("PT401"):
        session.execute("select public.enqueue_analysis('medical_exam', '{}')")
