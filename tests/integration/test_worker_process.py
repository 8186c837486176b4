"""`analysis-worker run` as a process: killed, stopped, stopped twice, misconfigured."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from supabase_local.directory import StackVariables
from tests.apps import TYPE
from tests.databases import ROOT
from tests.processes import COMMAND, Playground

WAIT_SECONDS = 30.0
Connection = psycopg.Connection[DictRow]


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Connection]:
    with psycopg.connect(stack.db_url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", (TYPE,))
        yield connection
        connection.execute("delete from public.analysis_jobs")
        connection.execute("delete from public.analysis_workers")


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    return Playground(tmp_path)


def enqueue(database: Connection, gate: Path) -> UUID:
    statement = "insert into public.analysis_jobs (type, input) values (%s, %s) returning id"
    row = database.execute(statement, (TYPE, Jsonb({"path": str(gate)}))).fetchone()
    assert row is not None
    job_id: UUID = row["id"]
    return job_id


def job(database: Connection, job_id: UUID) -> dict[str, Any]:
    row = database.execute("select * from public.analysis_jobs where id = %s", (job_id,)).fetchone()
    assert row is not None
    return row


def wait_for(database: Connection, job_id: UUID, status: str) -> dict[str, Any]:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while (row := job(database, job_id))["status"] != status:
        assert time.monotonic() < give_up_at, f"still {row['status']}: {row['error']}"
        time.sleep(0.02)
    return row


def attempts(database: Connection, job_id: UUID) -> list[tuple[int, str | None]]:
    statement = "select attempt, outcome from public.analysis_attempts where job_id = %s order by started_at"
    return [(row["attempt"], row["outcome"]) for row in database.execute(statement, (job_id,))]


def worker(
    stack: StackVariables, playground: Playground, **environment: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    variables = {
        "PYTHONPATH": str(ROOT),
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "ANALYSIS_WORKER_HEARTBEAT_SECONDS": "0.5",
        "ANALYSIS_WORKER_LEASE_SECONDS": "2",
        "ANALYSIS_WORKER_RECONCILE_SECONDS": "0.5",
    }
    return playground.started("run", "--app", "tests.apps:app", **variables | environment)


def test_a_job_whose_worker_is_killed_is_completed_once_by_the_next_one(
    stack: StackVariables, database: Connection, playground: Playground
) -> None:
    gate = playground.directory / "gate"
    job_id = enqueue(database, gate)
    with worker(stack, playground) as first:
        wait_for(database, job_id, "processing")
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    gate.touch()
    with worker(stack, playground):
        row = wait_for(database, job_id, "completed")
    assert (row["attempt"], row["result"]) == (2, {"attempt": 2})
    assert attempts(database, job_id) == [(1, "lost"), (2, "completed")]


def test_a_signal_lets_the_running_job_finish(
    stack: StackVariables, database: Connection, playground: Playground
) -> None:
    gate = playground.directory / "gate"
    job_id = enqueue(database, gate)
    with worker(stack, playground) as process:
        wait_for(database, job_id, "processing")
        process.send_signal(signal.SIGTERM)
        gate.touch()
        assert process.wait(WAIT_SECONDS) == 0
    assert attempts(database, job_id) == [(1, "completed")]
    assert database.execute("select id from public.analysis_workers").fetchall() == []


def test_a_job_that_outlasts_the_grace_is_given_back_with_its_attempt(
    stack: StackVariables, database: Connection, playground: Playground
) -> None:
    job_id = enqueue(database, playground.directory / "never")
    with worker(stack, playground, ANALYSIS_WORKER_GRACE_SECONDS="0") as process:
        wait_for(database, job_id, "processing")
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
    row = job(database, job_id)
    assert (row["status"], row["attempt"]) == ("pending", 0)
    assert attempts(database, job_id) == [(1, "released")]


def test_a_cancel_interrupts_the_handler_though_neither_heartbeats_nor_changes_tell_of_it(
    stack: StackVariables, database: Connection, playground: Playground
) -> None:
    seldom = {"ANALYSIS_WORKER_HEARTBEAT_SECONDS": "600", "ANALYSIS_WORKER_LEASE_SECONDS": "1200"}
    publication = "alter publication supabase_realtime {} table public.analysis_jobs"
    with worker(stack, playground, **seldom) as process:
        assert process.stderr is not None
        while "doorbell" not in process.stderr.readline():
            pass
        database.execute(publication.format("drop"))
        try:
            job_id = enqueue(database, playground.directory / "never")
            wait_for(database, job_id, "processing")
            with database.transaction():
                database.execute("set local role service_role")
                database.execute("select public.cancel_analysis(%s)", (job_id,))
            while "lease lost" not in process.stderr.readline():
                pass
        finally:
            database.execute(publication.format("add"))


def test_the_first_process_of_a_container_can_be_stopped_before_it_has_begun(playground: Playground) -> None:
    """The kernel gives PID 1 of a namespace no signal that it has no handler for."""
    namespace = ["unshare", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("no PID namespace may be made here")
    importing = playground.directory / "importing"
    (playground.directory / "slow.py").write_text(f"import time\nopen({str(importing)!r}, 'w')\ntime.sleep(600)\n")
    process = subprocess.Popen(
        [*namespace, COMMAND, "run", "--app", "slow:app"],
        env=playground.environment(SUPABASE_URL="http://127.0.0.1:9", SUPABASE_SECRET_KEY="sb_secret_any"),
        cwd=playground.directory,
    )
    try:
        give_up_at = time.monotonic() + WAIT_SECONDS
        while not importing.exists():
            assert time.monotonic() < give_up_at
            time.sleep(0.02)
        (first,) = psutil.Process(process.pid).children()
        first.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 143
    finally:
        process.kill()
        process.wait(WAIT_SECONDS)


def test_a_second_signal_stops_at_once(stack: StackVariables, database: Connection, playground: Playground) -> None:
    job_id = enqueue(database, playground.directory / "never")
    with worker(stack, playground, ANALYSIS_WORKER_GRACE_SECONDS="600") as process:
        wait_for(database, job_id, "processing")
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        while "draining" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 130


def test_the_key_is_in_no_log_line_at_the_most_talkative_level(
    stack: StackVariables, database: Connection, playground: Playground
) -> None:
    gate = playground.directory / "gate"
    gate.touch()
    job_id = enqueue(database, gate)
    with worker(stack, playground, ANALYSIS_WORKER_LOG_LEVEL="TRACE") as process:
        wait_for(database, job_id, "completed")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=WAIT_SECONDS)
    assert str(job_id) in log
    assert stack.secret_key not in log
    assert stack.service_role_key not in log


def test_bad_configuration_is_named_by_its_variable(playground: Playground) -> None:
    run = playground.run("run", "--app", "tests.apps:app")
    assert run.returncode == 2
    assert "SUPABASE_URL: Field required" in run.stderr


def test_a_missing_key_is_named_too(stack: StackVariables, playground: Playground) -> None:
    with playground.started("run", "--app", "tests.apps:app", SUPABASE_URL=stack.api_url) as process:
        _, log = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 2
    assert "set SUPABASE_SECRET_KEY or SUPABASE_SECRET_KEY_FILE" in log


def test_a_key_in_a_file_is_exchanged_while_the_worker_runs(
    stack: StackVariables, database: Connection, playground: Playground
) -> None:
    gate = playground.directory / "gate"
    gate.touch()
    key_file = playground.directory / "key"
    key_file.write_text("sb_secret_of_yesterday")
    job_id = enqueue(database, gate)
    with worker(stack, playground, SUPABASE_SECRET_KEY="", SUPABASE_SECRET_KEY_FILE=str(key_file)) as process:
        assert process.stderr is not None
        while "realtime refused the key" not in process.stderr.readline():
            pass
        assert job(database, job_id)["status"] == "pending"
        key_file.write_text(f"{stack.secret_key}\n")
        wait_for(database, job_id, "completed")


def test_an_application_that_does_not_exist_is_named(stack: StackVariables, playground: Playground) -> None:
    with playground.started(
        "run", "--app", "nowhere:app", SUPABASE_URL=stack.api_url, SUPABASE_SECRET_KEY=stack.secret_key
    ) as process:
        _, log = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 2
    assert "no application at 'nowhere:app'" in log
