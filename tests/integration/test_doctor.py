"""The doctor finds what is wrong with a whole stack, one planted fault at a time, and nothing else."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli import doctor as doctor_module
from analysis_worker.cli import doctor_realtime
from analysis_worker.cli.commands import build
from analysis_worker.cli.doctor_expected import read_expected
from analysis_worker.cli.doctor_installation import check_installation
from supabase_local.directory import StackVariables
from supabase_local.temporary import free_port
from tests.chaos.stack import chaos_stack
from tests.databases import MIGRATIONS, as_worker
from tests.stacks import running_stack

Connection = psycopg.Connection[Any]
Doctor = Callable[..., Result]
APP = "maxnutrition.app:app"
IGNORED = {"workers"}  # none runs here, which is a warning unless jobs wait


@pytest.fixture(scope="module")
def patient() -> Iterator[StackVariables]:
    """A stack of its own, since it is spoilt."""
    with running_stack() as variables:
        yield variables


@pytest.fixture
def database(patient: StackVariables) -> Iterator[Connection]:
    with psycopg.connect(patient.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def doctor(patient: StackVariables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.chdir(tmp_path)  # where no .env lies
    monkeypatch.setattr(doctor_realtime, "_PATIENCE_SECONDS", 6.0)
    environment = {"SUPABASE_URL": patient.api_url, "SUPABASE_SECRET_KEY": patient.secret_key}

    def run(*arguments: str, **more: str | None) -> Result:
        return CliRunner().invoke(build(), ["doctor", *arguments], env=environment | more, catch_exceptions=False)

    return run


def findings(result: Result, level: str) -> dict[str, dict[str, str]]:
    return {
        finding["check"]: finding
        for finding in json.loads(result.stdout)
        if finding["level"] == level and finding["check"] not in IGNORED
    }


def test_a_whole_stack_is_well(doctor: Doctor) -> None:
    result = doctor("--json", "--app", APP)
    assert result.exit_code == 0, result.stdout
    assert findings(result, "fault") == findings(result, "warning") == {}
    checks = [finding["check"] for finding in json.loads(result.stdout)]
    assert {"key", "migrations", "schema", "publication", "realtime", "doorbell", "clock", "handlers"} <= set(checks)


def test_workers_next_to_the_database_are_looked_after_where_there_are_any(
    doctor: Doctor, patient: StackVariables, database: Connection
) -> None:
    enqueue = (
        "insert into analysis_jobs (type, input, scheduled_at) values ('medical_exam', '{}', now() + '1 h'::interval)"
    )
    with altered(database, enqueue, "delete from public.analysis_jobs"):
        result = doctor("--json", ANALYSIS_WORKER_DATABASE_URL=as_worker(patient.db_url))
    assert result.exit_code == 0, result.stdout
    assert {"database", "rights", "session", "same database"} <= findings(result, "ok").keys()


def test_the_migrations_text_is_read_as_postgres_reads_it(database: Connection) -> None:
    expected = read_expected(MIGRATIONS)
    row = database.execute("select public.describe_installation()").fetchone()
    assert row is not None
    ours = {name for name in row[0]["functions"] if re.search(r"analysis|job|flag|worker|describe", name)}
    assert ours <= expected.functions.keys()
    assert {name: row[0]["functions"][name] for name in expected.functions} == expected.functions
    assert {name: set(table["triggers"]) for name, table in row[0]["tables"].items()} == expected.tables
    assert set(row[0]["callable"]) == expected.callable


@contextmanager
def altered(database: Connection, plant: str, undo: str) -> Iterator[None]:
    database.execute(plant.encode())
    try:
        yield
    finally:
        database.execute(undo.encode())


@contextmanager
def rewritten(database: Connection) -> Iterator[None]:
    """Somebody improved a function by hand."""
    row = database.execute("select pg_get_functiondef('private.living_workers()'::regprocedure)").fetchone()
    assert row is not None
    database.execute(row[0].replace("limit 100", "limit 99").encode())
    try:
        yield
    finally:
        database.execute(row[0].encode())


STATEMENTS = {
    "a migration was left out": (
        "delete from supabase_migrations.schema_migrations where version = '20261122000700'",
        "insert into supabase_migrations.schema_migrations (version) values ('20261122000700')",
        "migrations",
        "not applied: 20261122000700",
    ),
    "a function is missing": (
        "alter function public.reconcile_jobs() rename to reconcile_jobs_old",
        "alter function public.reconcile_jobs_old() rename to reconcile_jobs",
        "schema",
        "missing functions: public.reconcile_jobs",
    ),
    "the table is not published": (
        "alter publication supabase_realtime drop table public.analysis_jobs",
        "alter publication supabase_realtime add table public.analysis_jobs",
        "publication",
        "analysis_jobs is not published",
    ),
    "a function may not be called": (
        "revoke execute on function public.claim_job from service_role",
        "grant execute on function public.claim_job to service_role",
        "grants",
        "service_role may not use claim_job",
    ),
    "a table may not be read": (
        "revoke select on public.analysis_attempts from service_role",
        "grant select on public.analysis_attempts to service_role",
        "grants",
        "service_role may not use analysis_attempts",
    ),
    "the doctor itself may not look": (
        "revoke execute on function public.describe_installation from service_role",
        "grant execute on function public.describe_installation to service_role",
        "grants",
        "the key's role may not look",
    ),
    "row level security is off": (
        "alter table public.analysis_jobs disable row level security",
        "alter table public.analysis_jobs enable row level security",
        "row security",
        "off for analysis_jobs",
    ),
    "the doorbell is cut off": (
        "alter table public.analysis_jobs disable trigger analysis_jobs_ring_doorbell",
        "alter table public.analysis_jobs enable trigger analysis_jobs_ring_doorbell",
        "triggers",
        "missing or disabled: analysis_jobs_ring_doorbell",
    ),
    "a type has no handler": (
        "insert into public.analysis_types (type) values ('forgotten')",
        "delete from public.analysis_types where type = 'forgotten'",
        "handlers",
        "types without a handler: forgotten",
    ),
    "a handler has no type": (
        "delete from public.analysis_types where type = 'medical_exam'",
        "insert into public.analysis_types (type) values ('medical_exam')",
        "handlers",
        "handlers without a type: medical_exam",
    ),
    "jobs have waited for an hour": (
        "insert into analysis_jobs (type, input, scheduled_at) values ('medical_exam', '{}', now() - '1 h'::interval)",
        "delete from public.analysis_jobs",
        "queue",
        "medical_exam for 60 min",
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_fault_in_the_database_is_found_and_no_other(doctor: Doctor, database: Connection, name: str) -> None:
    plant, undo, check, detail = STATEMENTS[name]
    with altered(database, plant, undo):
        result = doctor("--json", "--app", APP)
    assert result.exit_code == 1
    faults = findings(result, "fault")
    aftermath = {"realtime"} if check == "publication" else set()
    assert faults.keys() == {check} | aftermath
    assert detail in faults[check]["detail"]
    assert all(fault["fix"] for fault in faults.values())
    assert doctor("--app", APP).exit_code == 0


def test_what_the_fix_says_mends_it(doctor: Doctor, database: Connection) -> None:
    mended = 0
    for plant, _, check, _ in STATEMENTS.values():
        database.execute(plant.encode()) if check in {"publication", "row security", "triggers"} else None
    for check, fault in findings(doctor("--json"), "fault").items():
        if check in {"publication", "row security", "triggers"}:
            database.execute(fault["fix"].partition("; where")[0].encode())
            mended += 1
    assert mended == 3
    assert doctor().exit_code == 0


def test_a_function_that_was_changed_by_hand_is_found(doctor: Doctor, database: Connection) -> None:
    with rewritten(database):
        faults = findings(doctor("--json"), "fault")
    assert faults.keys() == {"schema"}
    assert "functions differ from the migrations: private.living_workers" in faults["schema"]["detail"]


def test_jobs_that_nobody_is_there_for_are_found(doctor: Doctor, database: Connection) -> None:
    statement = "insert into public.analysis_jobs (type, input) values ('medical_exam', '{}')"
    with altered(database, statement, "delete from public.analysis_jobs"):
        result = doctor()
    assert result.exit_code == 1
    assert "none alive, and 1 jobs wait" in result.stdout


def token(role: str, ends: datetime) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"role": role, "exp": int(ends.timestamp())}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


YEAR = timedelta(days=365)
KEYS = {
    "sb_publishable_x": "a publishable key",
    "nonsense": "neither a key of Supabase nor a JWT",
    token("anon", datetime.now(UTC) + YEAR): "a JWT of the role anon",
    token("analysis_worker", datetime.now(UTC) + YEAR): "a JWT of the role analysis_worker",
    token("service_role", datetime(2024, 1, 2, tzinfo=UTC)): "a JWT that expired on 2024-01-02",
    "sb_secret_of_another_project": "refused: ",
}


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_key_is_told_by_its_kind_and_never_shown(doctor: Doctor, key: str) -> None:
    result = doctor("--json", SUPABASE_SECRET_KEY=key)
    assert result.exit_code == 1
    details = [finding["detail"] for finding in json.loads(result.stdout) if finding["check"] == "key"]
    assert any(detail.startswith(KEYS[key]) for detail in details)
    assert key not in result.output


def test_a_legacy_key_is_a_warning(doctor: Doctor, patient: StackVariables) -> None:
    result = doctor("--json", SUPABASE_SECRET_KEY=patient.service_role_key)
    assert result.exit_code == 0, result.stdout
    assert findings(result, "warning").keys() == {"key"}


def test_a_project_that_does_not_answer_is_found(doctor: Doctor) -> None:
    faults = findings(doctor("--json", SUPABASE_URL=f"http://127.0.0.1:{free_port()}"), "fault")
    assert faults.keys() == {"queue API"}
    assert "SUPABASE_URL" in faults["queue API"]["fix"]


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"SUPABASE_URL": None}, "SUPABASE_URL: Field required"),
        ({"SUPABASE_URL": "nowhere"}, "SUPABASE_URL: Value error, must start with http"),
        ({"SUPABASE_SECRET_KEY": ""}, "set SUPABASE_SECRET_KEY or SUPABASE_SECRET_KEY_FILE"),
        ({"SUPABASE_SECRET_KEY": "", "SUPABASE_SECRET_KEY_FILE": "absent"}, "the file with the key: No such file"),
    ],
)
def test_a_configuration_that_cannot_work_is_found(doctor: Doctor, changes: dict[str, str | None], detail: str) -> None:
    faults = findings(doctor("--json", **changes), "fault")
    assert faults.keys() == {"configuration"}
    assert detail in faults["configuration"]["detail"]


@pytest.mark.parametrize(("minutes", "level"), [(5, "fault"), (-5, "fault"), (0.25, "warning")])
def test_a_clock_that_is_wrong_is_found(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, minutes: float, level: str
) -> None:
    monkeypatch.setattr(doctor_module, "now", lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    result = doctor("--json")
    assert findings(result, level).keys() == {"clock"}
    assert result.exit_code == (1 if level == "fault" else 0)


@pytest.mark.parametrize(
    ("fault", "detail"), [("refuse", "refused with HTTP"), ("close_joins", "the join was refused")]
)
def test_a_realtime_that_does_not_serve_is_found(doctor: Doctor, tmp_path: Path, fault: str, detail: str) -> None:
    with chaos_stack(tmp_path) as faulty:
        faulty.realtime_faults(**{fault: True})
        variables = faulty.variables
        result = doctor("--json", SUPABASE_URL=variables.api_url, SUPABASE_SECRET_KEY=variables.secret_key)
    faults = findings(result, "fault")
    assert faults.keys() == {"realtime"}
    assert detail in faults["realtime"]["detail"]


def test_an_application_that_cannot_be_loaded_is_found(doctor: Doctor) -> None:
    assert "no application at" in findings(doctor("--json", "--app", "nowhere:app"), "fault")["handlers"]["detail"]


def test_a_database_without_the_queue_is_told_to_be_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running_stack(migrations=False) as bare:
        environment = {"SUPABASE_URL": bare.api_url, "SUPABASE_SECRET_KEY": bare.secret_key}
        result = CliRunner().invoke(build(), ["doctor"], env=environment, catch_exceptions=False)
        assert result.exit_code == 1
        assert "functions of the queue are missing" in result.stdout
        assert "setup-db" in result.stdout
        setup = CliRunner().invoke(build(), ["setup-db", "--db-url", bare.db_url], catch_exceptions=False)
        assert setup.exit_code == 0, setup.output
        give_up_at = time.monotonic() + 10  # until the API has seen the new functions
        while (again := CliRunner().invoke(build(), ["doctor"], env=environment)).exit_code != 0:
            assert time.monotonic() < give_up_at, again.stdout


def test_an_old_postgres_and_a_silent_doorbell_are_found(database: Connection) -> None:
    row = database.execute("select public.describe_installation()").fetchone()
    assert row is not None
    found = row[0] | {"postgres": 140005, "doorbell": False}
    wrong = {
        finding.check: finding for finding in check_installation(found, read_expected(MIGRATIONS), datetime.now(UTC))
    }
    assert (wrong["postgres"].level, wrong["triggers"].level) == ("fault", "warning")
