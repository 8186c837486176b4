"""`analysis-worker test-e2e` with a worker and without, with Realtime and without; nothing of it is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli import e2e_steps
from analysis_worker.cli.commands import build
from supabase_local.directory import StackVariables
from tests.apps import TYPE
from tests.contract.functions.world import running_world
from tests.databases import ROOT
from tests.processes import Playground
from tests.sql.factories import eventually

Connection = psycopg.Connection[Any]
Command = Callable[..., Result]


@pytest.fixture
def database(stack: StackVariables) -> Iterator[Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", [TYPE])
        yield connection
        connection.execute("delete from public.analysis_jobs")
        connection.execute("delete from public.analysis_workers")
        connection.execute("delete from auth.users")


@pytest.fixture
def environment(stack: StackVariables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)  # where no .env lies
    (tmp_path / "gate").touch()
    (tmp_path / "input.json").write_text(json.dumps({"path": str(tmp_path / "gate")}))
    return {
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "COLUMNS": "200",
    }


@pytest.fixture
def command(environment: dict[str, str], database: Connection) -> Command:
    def run(*arguments: str, input: str | None = None, **more: str | None) -> Result:
        given = ["test-e2e", TYPE, "--input", "input.json", *arguments]
        return CliRunner().invoke(build(), given, env=environment | more, input=input, catch_exceptions=False)

    return run


@pytest.fixture
def worker(environment: dict[str, str], database: Connection, tmp_path: Path) -> Iterator[None]:
    variables = {key: environment[key] for key in ("SUPABASE_URL", "SUPABASE_SECRET_KEY")}
    home = tmp_path / "worker"
    home.mkdir()
    with Playground(home).started("run", "--app", "tests.apps:app", PYTHONPATH=str(ROOT), **variables):
        eventually(lambda: bool(database.execute("select from public.analysis_workers").fetchall()), 60)
        yield


def verdicts(result: Result, exit_code: int) -> dict[str, str]:
    assert result.exit_code == exit_code, result.output
    return {step["name"]: step["verdict"] for step in json.loads(result.stdout)["steps"]}


def left_behind(database: Connection) -> tuple[int, int]:
    row = database.execute(
        "select (select count(*) from public.analysis_jobs), (select count(*) from auth.users)"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.usefixtures("worker")
def test_with_a_worker_every_step_goes_well_and_nothing_is_left(command: Command, database: Connection) -> None:
    result = command("--json")
    assert verdicts(result, 0) == {
        "create a user": "ok",
        "sign in": "ok",
        "enqueue for later": "ok",
        "cancel, and hear of it": "ok",
        "enqueue": "ok",
        "gateway": "skipped",
        "watch": "ok",
        "result": "ok",
        "clean up": "ok",
    }
    document = json.loads(result.stdout)
    assert document["passed"] is True
    assert all(step["ms"] > 0 for step in document["steps"])
    assert "completed after" in document["steps"][6]["detail"]
    assert left_behind(database) == (0, 0)


def test_without_a_worker_the_wait_is_over_in_time_and_says_what_to_look_for(
    command: Command, database: Connection
) -> None:
    result = command("--timeout", "1")
    assert result.exit_code == 1
    lines = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert "failed" in lines["watch"]
    assert "still pending after 1 s: does a worker run that knows gated?" in result.stdout
    assert result.stdout.splitlines()[-1] == "failed"
    assert left_behind(database) == (0, 0)


def test_a_realtime_that_tells_nothing_is_a_failure(
    command: Command, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(e2e_steps, "_HEAR_SECONDS", 3.0)
    database.execute("alter publication supabase_realtime drop table public.analysis_jobs")
    try:
        result = command("--json")
    finally:
        database.execute("alter publication supabase_realtime add table public.analysis_jobs")
    assert verdicts(result, 1)["cancel, and hear of it"] == "failed"
    assert ", within 3 s" in result.stdout
    assert left_behind(database) == (0, 0)


@pytest.mark.usefixtures("worker")
def test_a_user_who_was_there_before_is_there_afterwards(
    command: Command, database: Connection, stack: StackVariables
) -> None:
    from analysis_worker.adapters.records import open_records  # noqa: PLC0415

    with open_records(stack.api_url, lambda: stack.secret_key) as records:
        records.create_user("ana@example.com", "a long password")
    assert verdicts(command("--json", "--email", "ana@example.com", input="a long password\n"), 0)["sign in"] == "ok"
    assert left_behind(database) == (0, 1)
    assert verdicts(command("--json", "--email", "ana@example.com", input="wrong\n"), 1) == {
        "sign in": "failed",
        "clean up": "ok",
    }


def test_the_gateway_leads_to_the_same_job_where_it_is_deployed(environment: dict[str, str]) -> None:
    with running_world() as world:
        with psycopg.connect(world.stack.db_url, autocommit=True) as connection:
            connection.execute("insert into public.analysis_types (type) values (%s)", [TYPE])
        there = {
            "SUPABASE_URL": world.stack.api_url,
            "SUPABASE_SECRET_KEY": world.stack.secret_key,
            "SUPABASE_PUBLISHABLE_KEY": world.stack.publishable_key,
        }
        arguments = ["test-e2e", TYPE, "--input", "input.json", "--timeout", "1", "--json"]
        result = CliRunner().invoke(build(), arguments, env=there, catch_exceptions=False)
    assert verdicts(result, 1)["gateway"] == "ok"  # and no worker runs there


def test_an_unknown_type_is_found_at_the_first_job(command: Command, database: Connection) -> None:
    database.execute("delete from public.analysis_types where type = %s", [TYPE])
    result = command("--json")
    assert verdicts(result, 1)["enqueue for later"] == "failed"
    assert "PT404: unknown analysis type" in result.stdout
    assert left_behind(database) == (0, 0)


def test_without_the_clients_key_nothing_is_begun(command: Command, database: Connection) -> None:
    result = command(SUPABASE_PUBLISHABLE_KEY=None)
    assert (result.exit_code, result.stderr) == (2, "error: SUPABASE_PUBLISHABLE_KEY: Field required\n")
