"""`load-test` against a whole stack: what it enqueues, what it says of it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build
from supabase_local.directory import StackVariables
from tests.processes import COMMAND
from tests.sql.factories import Session, call, claim, eventually

Command = Callable[..., Result]
TYPE = "loaded"


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Session]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s)", [TYPE])
        yield connection
        connection.execute("truncate public.analysis_jobs, public.analysis_workers, public.analysis_audit cascade")
        connection.execute("delete from public.analysis_types where type = %s", [TYPE])


@pytest.fixture
def environment(stack: StackVariables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)  # where no .env lies
    return {"SUPABASE_URL": stack.api_url, "SUPABASE_SECRET_KEY": stack.secret_key, "COLUMNS": "200"}


@pytest.fixture
def command(environment: dict[str, str], database: Session) -> Command:
    del database

    def run(*arguments: str, input: str | None = None, **more: str) -> Result:
        arguments = ("load-test", TYPE, "--rate", "40", *arguments)
        return CliRunner().invoke(build(), arguments, env=environment | more, input=input, catch_exceptions=False)

    return run


@contextmanager
def a_worker(url: str, settle: str = "complete_job", **outcome: Any) -> Iterator[None]:
    """Ends whatever job comes, at once."""
    stop = threading.Event()

    def work() -> None:
        with psycopg.connect(url, autocommit=True) as session:
            while not stop.wait(0.02):
                lease_id = uuid4()
                for job in claim(session, "w1", lease_id, types=[TYPE], max_jobs=100):
                    call(session, settle, job_id=UUID(job["id"]), lease_id=lease_id, **outcome)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


def statuses(database: Session) -> dict[str, int]:
    return dict(database.execute("select status, count(*) from public.analysis_jobs group by status").fetchall())


def test_jobs_of_nobody_are_enqueued_followed_and_measured(
    command: Command, database: Session, stack: StackVariables
) -> None:
    with a_worker(stack.db_url, result={"done": True}):
        result = command("--duration", "1", "--json", "--input", "-", input='{"text": "job {number}"}')
    report = json.loads(result.stdout)
    assert (result.exit_code, report["met"], report["completed"], report["jobs"]) == (0, True, 40, 40)
    assert 0 < report["wait_seconds"]["p50"] <= report["end_to_end_seconds"]["p95"] < 20
    rows = database.execute(
        "select job.input ->> 'text', used.key from public.analysis_jobs as job"
        " join public.analysis_idempotency_keys as used on used.job_id = job.id where job.user_id is null"
    ).fetchall()
    assert sorted(rows) == sorted((f"job {number}", f"{report['mark']}/{number}") for number in range(40))


def test_what_nobody_runs_counts_as_timed_out_and_is_cancelled(command: Command, database: Session) -> None:
    result = command("--duration", "0.1", "--patience", "1")
    assert result.exit_code == 1
    assert "4 timeouts\n" in result.stdout
    assert "MISSED timeouts: 1, to be below 0.001\n" in result.stdout
    assert "MISSED end_to_end_p95_seconds: nothing" in result.stdout
    assert statuses(database) == {"cancelled": 4}


def test_failures_are_told_by_their_code(command: Command, stack: StackVariables) -> None:
    error = {"code": "broken", "message": "It broke."}
    with a_worker(stack.db_url, "fail_job", error=error, retryable=False):
        result = command("--duration", "0.1")
    assert result.exit_code == 1
    assert "4 failed: broken\n" in result.stdout
    assert "MISSED errors: 1, to be below 0.01\n" in result.stdout


def test_what_the_queue_refuses_is_an_error(command: Command, database: Session) -> None:
    schema = '{"type": "object", "required": ["text"]}'
    database.execute("update public.analysis_types set input_schema = %s where type = %s", [schema, TYPE])
    result = command("--duration", "0.1")
    assert result.exit_code == 1
    assert "4 refused: PT400\n" in result.stdout


def test_ctrl_c_cancels_what_is_left_and_reports(environment: dict[str, str], database: Session) -> None:
    with subprocess.Popen(
        [COMMAND, "load-test", TYPE, "--rate", "20", "--duration", "40", "--json"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        eventually(lambda: statuses(database).get("pending", 0) >= 10, 30)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    report = json.loads(output)
    assert (process.returncode, report["interrupted"], report["timeouts"]) == (130, True, 0)
    assert statuses(database) == {"cancelled": report["cancelled"]} == {"cancelled": report["enqueued"]}


@pytest.mark.parametrize("arguments", [("--duration", "26"), ("--duration", "0.1")], ids=["many", "elsewhere"])
def test_many_jobs_or_another_project_than_a_local_one_need_a_yes(
    command: Command, database: Session, stack: StackVariables, arguments: tuple[str, str]
) -> None:
    url = stack.api_url if arguments[1] == "26" else stack.api_url.replace("127.0.0.1", "127.1")
    result = command(*arguments, SUPABASE_URL=url)
    assert result.exit_code == 1
    assert "nothing was enqueued; --yes does it without asking" in result.stderr
    assert statuses(database) == {}


def test_what_providers_may_charge_is_told_before(command: Command, database: Session, stack: StackVariables) -> None:
    assert "what providers charge for them is not known" in command("--duration", "26").stderr
    with a_worker(stack.db_url, result={}, usage={"cost_micro_usd": 2500}):
        assert command("--duration", "0.1").exit_code == 0
    result = command("--duration", "26")
    assert "1040 jobs of loaded; providers may charge about $2.60 for them, by the latest 4" in result.stderr


def test_a_type_that_does_not_exist_is_no_load_test(environment: dict[str, str]) -> None:
    result = CliRunner().invoke(build(), ["load-test", "nothing"], env=environment, catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (1, "error: PT404: unknown analysis type\n")


def test_somebody_at_a_terminal_sees_how_it_goes(
    environment: dict[str, str], database: Session, stack: StackVariables
) -> None:
    ours, theirs = pty.openpty()
    shown = b""
    with (
        a_worker(stack.db_url, result={}),
        subprocess.Popen(
            [COMMAND, "load-test", TYPE, "--rate", "10", "--duration", "2"],
            env=os.environ | environment | {"TERM": "xterm"},
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        ) as process,
    ):
        os.close(theirs)
        with suppress(OSError):  # what a terminal says at its end
            while data := os.read(ours, 65536):
                shown += data
        os.close(ours)
        assert process.wait(30) == 0
    assert b"of 20 asked for" in shown
