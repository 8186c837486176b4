"""The operators' commands against a whole stack: what they change in it, print, and answer with."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build
from supabase_local.directory import StackVariables
from supabase_local.temporary import free_port
from tests.databases import MIGRATIONS, Databases
from tests.processes import COMMAND
from tests.servers import serving
from tests.sql.factories import call, claim

Command = Callable[..., Result]
Connection = psycopg.Connection[Any]
TYPE = "operated"


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", [TYPE])
        yield connection
        connection.execute("truncate public.analysis_jobs, public.analysis_workers, public.analysis_audit cascade")
        connection.execute("delete from storage.objects")
        connection.execute("delete from auth.users")
        connection.execute("delete from public.analysis_types where type = %s", [TYPE])


@pytest.fixture
def environment(stack: StackVariables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)  # where no .env lies
    return {"SUPABASE_URL": stack.api_url, "SUPABASE_SECRET_KEY": stack.secret_key, "COLUMNS": "200"}


@pytest.fixture
def command(environment: dict[str, str], database: Connection) -> Command:
    def run(*arguments: str, input: str | None = None, **more: str) -> Result:
        return CliRunner().invoke(build(), arguments, env=environment | more, input=input, catch_exceptions=False)

    return run


def answer(result: Result, exit_code: int = 0) -> Any:
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def new_job(database: Connection, **columns: Any) -> str:
    values = {"type": TYPE, "input": {}} | columns
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    row = database.execute(
        f"insert into public.analysis_jobs ({names}) values ({places}) returning id::text".encode(),
        [Jsonb(value) if isinstance(value, dict) else value for value in values.values()],
    ).fetchone()
    assert row is not None
    return str(row[0])


def new_failed_job(database: Connection, code: str = "broken", **columns: Any) -> str:
    job_id, lease_id = new_job(database, **columns), uuid4()
    claim(database, "w1", lease_id, types=[TYPE])
    error = {"code": code, "message": "It broke."}
    call(database, "fail_job", job_id=UUID(job_id), lease_id=lease_id, error=error, retryable=False)
    return job_id


def new_user(database: Connection) -> str:
    user_id = str(uuid4())
    database.execute("insert into auth.users (id) values (%s)", [user_id])
    return user_id


def status(database: Connection, job_id: str) -> str:
    row = database.execute("select status from public.analysis_jobs where id = %s", [job_id]).fetchone()
    assert row is not None
    return str(row[0])


def audit(database: Connection) -> list[Any]:
    return database.execute("select actor, action, details from public.analysis_audit order by id").fetchall()


# The queue ----------------------------------------------------------------------------------------------------------


def test_queue_stats_shows_a_line_for_each_type(command: Command, database: Connection) -> None:
    new_job(database)
    lines = command("queue-stats").stdout.splitlines()
    assert lines[0] == "0 workers alive; the last 60 min:"
    row = next(line.split() for line in lines if line.startswith(TYPE))
    assert row[1] == "1"
    stats = answer(command("queue-stats", "--json", "--window", "60"))
    assert (stats["types"][TYPE]["pending"], stats["window_seconds"]) == (1, 60)


def test_a_type_is_paused_and_resumed_on_record(command: Command, database: Connection) -> None:
    assert command("pause", TYPE, "--reason", "provider is down").stdout == f"{TYPE}: paused\n"
    assert command("pause", TYPE).stdout == f"{TYPE}: paused, and was so already\n"
    assert "paused" in next(line for line in command("queue-stats").stdout.splitlines() if line.startswith(TYPE))
    assert answer(command("resume", TYPE, "--json")) == {"type": TYPE, "paused": False, "changed": True}
    assert [(action, details["reason"]) for _, action, details in audit(database)] == [
        ("pause_type", "provider is down"),
        ("resume_type", None),
    ]


def test_an_unknown_type_is_named_as_the_mistake(command: Command) -> None:
    result = command("pause", "nothing")
    assert (result.exit_code, result.stderr) == (1, "error: PT404: unknown analysis type\n")


def test_a_job_is_enqueued_with_the_input_of_a_file(command: Command, database: Connection, tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text('{"x": 1}')
    job_id = answer(command("test-enqueue", TYPE, "--input", "input.json", "--json"))["id"]
    row = database.execute("select input, user_id from public.analysis_jobs where id = %s", [job_id]).fetchone()
    assert row == ({"x": 1}, None)
    assert command("test-enqueue", TYPE, "--input", "-", input='{"x": 2}').stdout.endswith(" pending\n")


def test_a_job_that_is_waited_for_says_by_its_exit_code_what_became_of_it(
    command: Command, database: Connection
) -> None:
    assert answer(command("test-enqueue", TYPE, "--wait", "0.1", "--json"), 4)["status"] == "pending"
    database.execute("update public.analysis_jobs set status = 'cancelled', finished_at = now()")

    def cancel_soon() -> None:
        with psycopg.connect(database.info.dsn, password="postgres", autocommit=True) as other:
            while not other.execute(
                "update public.analysis_jobs set status = 'cancelled', finished_at = now() where status = 'pending'"
            ).rowcount:
                pass

    canceller = threading.Thread(target=cancel_soon)
    canceller.start()
    try:
        assert answer(command("test-enqueue", TYPE, "--wait", "20", "--json"), 1)["status"] == "cancelled"
    finally:
        canceller.join()


@pytest.mark.parametrize(("text", "exit_code"), [("{", 2), ("[]", 1)])
def test_what_is_no_input_is_refused(command: Command, text: str, exit_code: int) -> None:
    assert command("test-enqueue", TYPE, "--input", "-", input=text).exit_code == exit_code


# Jobs ---------------------------------------------------------------------------------------------------------------


def test_jobs_are_listed_newest_first_and_by_what_they_have_in_common(command: Command, database: Connection) -> None:
    user = new_user(database)
    old = new_job(database, created_at="2026-01-01T00:00:00Z")
    failed = new_failed_job(database, "overloaded", priority=100)
    mine = new_job(database, user_id=user)

    def listed(*filters: str) -> list[str]:
        return [row["id"] for row in answer(command("jobs", "--json", *filters))]

    assert listed() == [mine, failed, old]
    assert listed("--limit", "1") == [mine]
    assert listed("--status", "failed") == [failed]
    assert listed("--error-code", "overloaded", "--type", TYPE) == [failed]
    assert listed("--error-code", "other") == []
    assert listed("--user", user) == [mine]
    assert listed("--type", "medical_exam") == []
    assert listed("--since", "1h") == [mine, failed]
    assert listed("--since", "2025-12-31T00:00:00") == [mine, failed, old]
    lines = command("jobs").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [mine, failed, old]
    assert lines[2].split()[-1] == "overloaded"


@pytest.mark.parametrize("arguments", [("--since", "yesterday"), ("--status", "lost"), ("--limit", "0")])
def test_filters_that_make_no_sense_are_bad_arguments(command: Command, arguments: tuple[str, ...]) -> None:
    assert command("jobs", *arguments).exit_code == 2


def test_a_job_is_shown_with_its_attempts_and_its_content_only_when_asked_for(
    command: Command, database: Connection
) -> None:
    job_id = new_failed_job(database, input={"secret": 1})
    shown = answer(command("job", job_id, "--json"))
    assert (shown["status"], shown["attempts"][0]["outcome"]) == ("failed", "failed")
    assert "input" not in shown
    assert answer(command("job", job_id, "--content", "--json"))["input"] == {"secret": 1}
    text = command("job", job_id).stdout
    assert "broken: It broke." in text
    assert "secret" not in text


def test_a_job_that_is_not_there_is_not_found(command: Command) -> None:
    for name in ("job", "retry", "cancel"):
        result = command(name, str(uuid4()))
        assert (result.exit_code, result.stderr) == (1, "error: PT404: job not found\n")
    assert command("job", "one").exit_code == 2


def test_a_failed_job_is_retried_once(command: Command, database: Connection) -> None:
    job_id = new_failed_job(database)
    assert command("retry", job_id).stdout == f"{job_id}: pending\n"
    assert status(database, job_id) == "pending"
    result = command("retry", job_id)
    assert (result.exit_code, result.stdout) == (1, f"{job_id}: pending, as it was\n")


def test_a_job_is_cancelled_on_record(command: Command, database: Connection) -> None:
    job_id = new_job(database)
    assert answer(command("cancel", job_id, "--reason", "wrong input", "--json"))["cancelled"] is True
    assert status(database, job_id) == "cancelled"
    details = {"job_id": job_id, "status": "pending", "reason": "wrong input"}
    assert audit(database) == [("service_role", "cancel_job", details)]
    assert command("cancel", job_id).exit_code == 1


def test_a_dry_run_tells_what_a_replay_then_does(command: Command, database: Connection) -> None:
    wanted = [new_failed_job(database, "overloaded") for _ in range(3)]
    other = new_failed_job(database, "broken")
    filters = ("--type", TYPE, "--error-code", "overloaded", "--max-jobs", "2", "--since", "1h")
    assert answer(command("replay", *filters, "--dry-run", "--json")) == {"matching": 3, "would_replay": 2}
    assert command("replay", *filters, "--dry-run").stdout == "2 of 3 jobs\n"
    assert [status(database, job_id) for job_id in wanted] == ["failed"] * 3
    assert answer(command("replay", *filters, "--json")) == {"replayed": 2}
    assert [status(database, job_id) for job_id in [*wanted, other]] == ["pending", "pending", "failed", "failed"]


# Maintenance --------------------------------------------------------------------------------------------------------


def test_prune_goes_on_until_nothing_is_left_to_delete(command: Command, database: Connection) -> None:
    database.execute("update public.analysis_types set retain_failed_days = 1 where type = %s", [TYPE])
    for _ in range(5):
        new_failed_job(database)
    database.execute("update public.analysis_jobs set finished_at = now() - interval '2 days'")
    fresh = new_failed_job(database)
    counts = answer(command("prune", "--max-jobs", "2", "--json"))
    assert counts == {"completed": 0, "failed": 5, "cancelled": 0, "results": 0}
    assert database.execute("select id::text from public.analysis_jobs").fetchall() == [(fresh,)]


def upload(stack: StackVariables, name: str) -> None:
    response = httpx.post(
        f"{stack.api_url}/storage/v1/object/analysis-inputs/{name}",
        content=b"\xff\xd8\xff",
        headers={"authorization": f"Bearer {stack.service_role_key}", "content-type": "image/jpeg"},
    )
    assert response.status_code == 200, response.text


def test_a_user_is_deleted_with_all_jobs_and_files_and_nobody_else(
    command: Command, database: Connection, stack: StackVariables
) -> None:
    user, other = new_user(database), new_user(database)
    for owner in (user, other):
        upload(stack, f"{owner}/exam.jpg")
        new_job(database, user_id=owner)
    counts = answer(command("delete-user", user, "--yes", "--json"))
    assert counts == {"jobs": 1, "attempts": 0, "keys": 0, "results": 0, "files": 1}
    assert database.execute("select user_id::text from public.analysis_jobs").fetchall() == [(other,)]
    assert database.execute("select name from storage.objects").fetchall() == [(f"{other}/exam.jpg",)]
    assert user not in json.dumps(audit(database))


def test_nobody_is_deleted_unasked(command: Command, database: Connection) -> None:
    user = new_user(database)
    new_job(database, user_id=user)
    result = command("delete-user", user)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing was deleted" in result.stderr
    assert database.execute("select count(*) from public.analysis_jobs").fetchone() == (1,)


@pytest.mark.parametrize(("typed", "exit_code", "left"), [("n\n", 1, 1), ("y\n", 0, 0)])
def test_somebody_at_a_terminal_is_asked_before_a_user_is_deleted(
    environment: dict[str, str], database: Connection, typed: str, exit_code: int, left: int
) -> None:
    user = new_user(database)
    new_job(database, user_id=user)
    terminal, end = pty.openpty()
    os.write(terminal, typed.encode())
    try:
        result = subprocess.run(
            [COMMAND, "delete-user", user],
            env=os.environ | environment,
            stdin=end,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(end)
        os.close(terminal)
    assert "for good?" in result.stderr
    assert result.returncode == exit_code
    assert database.execute("select count(*) from public.analysis_jobs").fetchone() == (left,)


def test_a_database_is_set_up_and_then_left_alone(command: Command, databases: Databases) -> None:
    with databases.copied("platform") as name:
        url = databases.url(name)
        applied = answer(command("setup-db", "--db-url", url, "--json"))["applied"]
        assert applied == [path.name for path in sorted(MIGRATIONS.glob("*.sql"))]
        again = command("setup-db", "--db-url", "-", input=f"{url}\n")
        assert again.stdout == f"0 applied, {len(applied)} were there\n"
        with psycopg.connect(url) as connection:
            versions = connection.execute("select version from supabase_migrations.schema_migrations order by 1")
            assert [version for (version,) in versions] == [name.partition("_")[0] for name in applied]


def test_a_migration_that_fails_is_named_and_leaves_nothing_of_itself(command: Command, databases: Databases) -> None:
    with databases.copied("platform") as name:
        url = databases.url(name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create table public.analysis_queue (id integer)")
            result = command("setup-db", "--db-url", url)
            assert result.exit_code == 1
            assert '20261122000100_analysis_tables.sql: relation "analysis_queue" already exists' in result.stderr
            assert connection.execute("select to_regclass('public.analysis_jobs')").fetchone() == (None,)


def test_without_a_database_setup_says_how(command: Command) -> None:
    result = command("setup-db")
    assert result.exit_code == 0
    assert "supabase db push" in result.stdout
    assert str(MIGRATIONS) in result.stdout


def test_a_database_that_is_not_there_is_no_answer(command: Command) -> None:
    result = command("setup-db", "--db-url", f"postgresql://postgres:hidden@127.0.0.1:{free_port()}/postgres")
    assert result.exit_code == 3
    assert "hidden" not in result.output


# Health, alerts, metrics --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Web:
    """Somebody else's server: answers everything alike, and keeps what was posted."""

    url: str = ""
    status: int = 200
    body: str = "{}"
    posted: list[Any] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[Web]:
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(state.body.encode())

        def do_POST(self) -> None:
            state.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.do_GET()

    with serving(Handler) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state


def measured(database: Connection, **columns: object) -> None:
    """What the next check of health begins from."""
    changes = ", ".join(f"{name} = %s" for name in columns)
    database.execute(f"update public.analysis_health set {changes}".encode(), list(columns.values()))


@pytest.fixture
def health(database: Connection) -> Iterator[None]:
    """The stored health is what the test says, and as it was afterwards."""
    database.execute("update public.analysis_health_settings set check_seconds = 3600")
    yield
    database.execute("update public.analysis_health_settings set check_seconds = default")
    measured(
        database, healthy=False, why="recovering", no_worker_since=None, checked_at="2026-01-01", workers=0,
        wait_seconds=None, error_rate=None, attempts=0,
    )  # fmt: skip


@pytest.mark.usefixtures("health")
def test_health_is_an_exit_code(command: Command, database: Connection) -> None:
    measured(database, healthy=True, why=None, checked_at="now", workers=2)
    result = command("health")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "healthy")
    measured(database, healthy=False, why="no_worker", workers=0)
    assert answer(command("health", "--json"), 4)["why"] == "no_worker"
    assert command("health").stdout.startswith("unhealthy: no_worker\n")


@pytest.mark.parametrize(
    ("status_", "body", "exit_code"),
    [
        (200, '{"status": "ready", "listener": "ready"}', 0),
        (503, '{"status": "draining", "listener": "closed"}', 4),
        (200, "<html>", 3),
    ],
)
def test_a_workers_health_is_that_of_its_port(
    command: Command, web: Web, status_: int, body: str, exit_code: int
) -> None:
    web.status, web.body = status_, body
    assert command("health", "--worker", web.url).exit_code == exit_code


def test_a_worker_that_is_not_there_is_no_answer(command: Command) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert command("health", "--worker", nowhere).exit_code == 3
    assert command("metrics", "--worker", nowhere).exit_code == 3


def test_metrics_are_shown_as_text_and_as_json(command: Command, web: Web) -> None:
    web.body = '# HELP a_total A.\n# TYPE a_total counter\na_total{type="x"} 3.0\n'
    assert command("metrics", "--worker", web.url).stdout == web.body
    assert answer(command("metrics", "--worker", web.url, "--json")) == [
        {"name": "a_total", "labels": {"type": "x"}, "value": 3.0}
    ]
    web.status, web.body = 501, "pip install 'analysis-worker[metrics]'"
    result = command("metrics", "--worker", web.url)
    assert result.exit_code == 1
    assert "analysis-worker[metrics]" in result.stderr


@pytest.mark.usefixtures("health")
def test_nothing_to_look_at_is_no_alert_and_no_post(command: Command, database: Connection, web: Web) -> None:
    measured(database, healthy=True, why=None, checked_at="now", workers=1, no_worker_since=None)
    assert answer(command("alerts", "--webhook", web.url, "--json"))["alerts"] == []
    assert web.posted == []


@pytest.mark.usefixtures("health")
def test_alerts_are_posted_and_the_worst_is_the_exit_code(command: Command, database: Connection, web: Web) -> None:
    measured(database, checked_at="now", no_worker_since=None)
    for _ in range(51):
        new_job(database)
    assert command("alerts").stdout == "warning: AnalysisQueueLong: 51 jobs wait\n"
    assert command("alerts").exit_code == 4
    database.execute("update public.analysis_health set no_worker_since = now() - interval '6 minutes'")
    document = answer(command("alerts", "--webhook", web.url, "--json"), 5)
    assert [alert["name"] for alert in document["alerts"]] == ["AnalysisQueueLong", "AnalysisWorkerOffline"]
    assert web.posted == [document]


@pytest.mark.usefixtures("health")
def test_a_webhook_that_fails_is_told_without_its_address(command: Command, database: Connection, web: Web) -> None:
    measured(database, checked_at="now")
    for _ in range(51):
        new_job(database)
    web.status = 500
    result = command("alerts", "--webhook", f"{web.url}/secret-path")
    assert (result.exit_code, result.stderr) == (3, "error: the webhook answered HTTP 500\n")


# All of them --------------------------------------------------------------------------------------------------------

EVERY = {
    "doctor": (),
    "setup-db": (), "health": (), "alerts": (), "test-enqueue": (TYPE,), "queue-stats": (), "jobs": (), "logs": (),
    "load-test": (TYPE, "--duration", "0.1", "--patience", "1"),
    "job": (str(uuid4()),), "retry": (str(uuid4()),), "cancel": (str(uuid4()),), "replay": ("--dry-run",),
    "pause": (TYPE,), "resume": (TYPE,), "prune": (), "delete-user": (str(uuid4()), "--yes"), "metrics": (),
}  # fmt: skip
LOCAL = {"setup-db", "metrics", "doctor"}


@pytest.mark.parametrize("name", EVERY)
def test_help_names_the_exit_codes_and_json(command: Command, name: str) -> None:
    result = command(name, "--help")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "Exit codes: 0 " in text
    assert "--json" in text


@pytest.mark.parametrize("name", sorted(EVERY.keys() - LOCAL))
def test_a_key_that_may_not_is_refused_and_a_project_that_does_not_answer_told_apart(
    command: Command, stack: StackVariables, name: str
) -> None:
    refused = command(name, *EVERY[name], SUPABASE_SECRET_KEY=stack.publishable_key)
    assert refused.exit_code == 1, refused.output
    assert stack.publishable_key not in refused.output
    silent = command(name, *EVERY[name], SUPABASE_URL=f"http://127.0.0.1:{free_port()}")
    assert silent.exit_code == 3, silent.output
    assert command(name, *EVERY[name], SUPABASE_URL="ftp://nowhere").exit_code == 2
