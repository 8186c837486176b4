"""`analysis-worker logs` against a whole stack: what it prints once, and what it goes on to print."""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build
from supabase_local.directory import StackVariables
from tests.processes import Playground
from tests.sql.factories import call, claim

Connection = psycopg.Connection[Any]
Command = Callable[..., Result]
TYPE = "logged"
NOWHERE = "http://127.0.0.1:1"
WAIT_SECONDS = 30.0


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", [TYPE])
        yield connection
        connection.execute("delete from public.analysis_jobs where type = %s", [TYPE])
        connection.execute("delete from public.analysis_types where type = %s", [TYPE])
        connection.execute("truncate public.analysis_workers, public.analysis_audit")


@pytest.fixture
def environment(stack: StackVariables) -> dict[str, str]:
    return {"SUPABASE_URL": stack.api_url, "SUPABASE_SECRET_KEY": stack.secret_key, "TZ": "UTC"}


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)  # where no .env lies

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(build(), ["logs", *arguments], env=environment, catch_exceptions=False)

    return run


def new_job(database: Connection) -> str:
    row = database.execute(
        "insert into public.analysis_jobs (type, input) values (%s, '{}') returning id::text", [TYPE]
    )
    return str(row.fetchall()[0][0])


def fail(database: Connection, job_id: str) -> None:
    lease_id = uuid4()
    claim(database, "w1", lease_id, types=[TYPE])
    error = {"code": "broken", "message": "somebody's secret"}
    call(database, "fail_job", job_id=UUID(job_id), lease_id=lease_id, error=error, retryable=False)


def test_a_jobs_life_is_told_line_by_line_without_its_messages(command: Command, database: Connection) -> None:
    job_id = new_job(database)
    fail(database, job_id)
    new_job(database)
    text = command(job_id).stdout
    assert [line.split()[2] for line in text.splitlines()] == ["enqueued", "claimed", "attempt_failed", "failed"]
    assert text.splitlines()[2].endswith(f" {TYPE} {job_id} attempt=1 by=w1 code=broken")
    assert "secret" not in text
    lines = [json.loads(line) for line in command("--json", "--type", TYPE, "--status", "pending").stdout.splitlines()]
    assert [(line["event"], line["type"]) for line in lines] == [("enqueued", TYPE)]
    assert command("--type", TYPE, "--limit", "1").stdout.count("\n") == 1
    assert command("--type", TYPE, "--since", "2999-01-01").stdout == ""


def test_what_makes_no_sense_is_a_bad_argument(command: Command) -> None:
    for arguments in (("no-id",), ("--since", "yesterday"), ("--limit", "0")):
        assert command(*arguments).exit_code == 2


class Lines:
    """A process's lines as they come."""

    def __init__(self, output: IO[str]) -> None:
        self._file = output.fileno()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._file, selectors.EVENT_READ)
        self._rest = b""

    def next(self) -> dict[str, Any]:
        give_up_at = time.monotonic() + WAIT_SECONDS
        while b"\n" not in self._rest:
            assert self._selector.select(give_up_at - time.monotonic()), "no line came"
            chunk = os.read(self._file, 65536)
            assert chunk, "it ended"
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found


def test_following_tells_each_line_once_as_it_happens_until_it_is_interrupted(
    environment: dict[str, str], database: Connection, tmp_path: Path
) -> None:
    job_id = new_job(database)
    with Playground(tmp_path).started("logs", "--follow", "--json", "--type", TYPE, **environment) as process:
        assert process.stdout is not None
        lines = Lines(process.stdout)
        assert (line := lines.next())["event"] == "enqueued"
        assert line["job_id"] == job_id
        fail(database, job_id)
        assert [lines.next()["event"] for _ in range(3)] == ["claimed", "attempt_failed", "failed"]
        second = new_job(database)
        assert lines.next()["job_id"] == second
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_SECONDS) in {0, 130}
        output = process.stdout.read()
    assert output == ""


def test_following_hears_of_changes_before_it_would_look_anyway(
    environment: dict[str, str], database: Connection, tmp_path: Path, stack: StackVariables
) -> None:
    with Playground(tmp_path).started("logs", "--follow", "--json", "--type", TYPE, **environment) as process:
        assert process.stdout is not None
        lines = Lines(process.stdout)
        new_job(database)
        lines.next()
        waits = []
        for _ in range(3):
            began_at = time.monotonic()
            new_job(database)
            lines.next()
            waits.append(time.monotonic() - began_at)
    assert min(waits) < 2.0  # it looks every 5 s; the machine may be busy once


def test_a_project_that_does_not_answer_at_first_is_no_log(environment: dict[str, str], tmp_path: Path) -> None:
    with Playground(tmp_path).started("logs", "--follow", **environment | {"SUPABASE_URL": NOWHERE}) as process:
        assert process.wait(WAIT_SECONDS) == 3
