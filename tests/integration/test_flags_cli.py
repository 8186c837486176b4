"""The commands about flags, against a whole stack: what they change, print and answer with."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build
from supabase_local.directory import StackVariables
from supabase_local.temporary import free_port
from tests.processes import COMMAND

Command = Callable[..., Result]


@pytest.fixture
def database(stack: StackVariables) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection
        connection.execute("update public.analysis_flags set enabled = key = 'all', rollout_bps = 10000")
        connection.execute("truncate public.analysis_audit")


@pytest.fixture
def environment(stack: StackVariables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)  # where no .env lies
    return {"SUPABASE_URL": stack.api_url, "SUPABASE_SECRET_KEY": stack.secret_key}


@pytest.fixture
def command(environment: dict[str, str], database: psycopg.Connection[Any]) -> Command:
    def run(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(build(), arguments, env=environment | more, catch_exceptions=False)

    return run


def flag(database: psycopg.Connection[Any], key: str) -> tuple[bool, int]:
    query = "select enabled, rollout_bps from public.analysis_flags where key = %s"
    row = database.execute(query, [key]).fetchone()
    assert row is not None
    return row[0], row[1]


def test_flags_shows_every_flag_and_the_health(command: Command) -> None:
    result = command("flags")
    assert result.exit_code == 0
    health, *lines = result.stdout.splitlines()
    assert health.startswith("unhealthy (")
    assert [line.split()[0] for line in lines] == ["all", "exams", "meal_plan", "sofia", "unified", "whatsapp"]
    assert lines[1].split()[1:3] == ["off", "100%"]
    assert lines[1].endswith("medical_exam")


def test_flags_as_json_is_the_answer_of_the_queue(command: Command) -> None:
    answer = json.loads(command("flags", "--json").stdout)
    assert [row["key"] for row in answer["flags"]] == ["all", "exams", "meal_plan", "sofia", "unified", "whatsapp"]
    assert {"healthy", "why", "workers"} <= answer["health"].keys()


@pytest.mark.parametrize(("share", "bps"), [("10%", 1000), ("0.25%", 25), ("100", 10000), ("0%", 0)])
def test_a_share_is_stored(command: Command, database: psycopg.Connection[Any], share: str, bps: int) -> None:
    result = command("rollout", "exams", share, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rollout_bps"] == bps
    assert flag(database, "exams") == (True, bps)


@pytest.mark.parametrize("share", ["110%", "0.001%", "ten", "NaN", "1e9%", "1.%", ""])
def test_what_is_no_share_is_refused_before_anybody_is_asked(
    command: Command, database: psycopg.Connection[Any], share: str
) -> None:
    result = command("rollout", "exams", share)
    assert result.exit_code == 2
    assert "is no share" in result.stderr
    assert flag(database, "exams") == (False, 10000)


def test_a_flag_goes_on_and_off_and_says_whether_that_was_news(
    command: Command, database: psycopg.Connection[Any]
) -> None:
    assert command("enable", "sofia").stdout.startswith("sofia: changed\n")
    assert flag(database, "sofia") == (True, 10000)
    assert command("enable", "sofia").stdout.startswith("sofia: was so already\n")
    assert command("disable", "sofia", "--json").exit_code == 0
    assert flag(database, "sofia") == (False, 10000)


def test_a_rollback_is_one_command_and_leaves_its_reason(command: Command, database: psycopg.Connection[Any]) -> None:
    result = command("rollback", "--reason", "answers are wrong")
    assert result.exit_code == 0
    assert "Everything is synchronous" in result.stdout
    assert flag(database, "all")[0] is False
    rows = database.execute("select actor, action, details ->> 'reason' from public.analysis_audit").fetchall()
    assert rows == [("service_role", "roll_back", "answers are wrong")]
    assert "Everything is synchronous" not in command("enable", "all").stdout
    assert flag(database, "all")[0] is True


@pytest.mark.parametrize(("typed", "exit_code", "enabled"), [("n\n", 1, True), ("y\n", 0, False)])
def test_somebody_at_a_terminal_is_asked_before_a_rollback(
    environment: dict[str, str], database: psycopg.Connection[Any], typed: str, exit_code: int, enabled: bool
) -> None:
    terminal, end = pty.openpty()
    os.write(terminal, typed.encode())
    try:
        result = subprocess.run(
            [COMMAND, "rollback"],
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
    assert "Make everything synchronous for everybody?" in result.stderr
    assert result.returncode == exit_code
    assert flag(database, "all")[0] is enabled


def test_an_unknown_flag_is_named_as_the_mistake(command: Command) -> None:
    result = command("enable", "nothing")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: PT404: unknown flag\n"


@pytest.mark.parametrize("key", ["publishable_key", "anon_key", "wrong"])
def test_a_key_that_may_not_is_refused(command: Command, stack: StackVariables, key: str) -> None:
    result = command("enable", "sofia", SUPABASE_SECRET_KEY=getattr(stack, key, key))
    assert result.exit_code == 1
    assert "a service key is needed" in result.stderr
    assert getattr(stack, key, key) not in result.stderr


def test_a_project_that_does_not_answer_is_told_apart(command: Command) -> None:
    result = command("flags", SUPABASE_URL=f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 3
    assert "does not answer" in result.stderr


def test_a_missing_file_with_the_key_is_no_answer(command: Command, tmp_path: Path) -> None:
    result = command("flags", SUPABASE_SECRET_KEY="", SUPABASE_SECRET_KEY_FILE=str(tmp_path / "key"))
    assert result.exit_code == 3
    assert "FileNotFoundError" in result.stderr


def test_without_a_project_nothing_is_asked(command: Command) -> None:
    result = command("flags", SUPABASE_URL="ftp://nowhere")
    assert result.exit_code == 2
    assert "SUPABASE_URL: " in result.stderr


@pytest.mark.parametrize("name", ["flags", "enable", "disable", "rollout", "rollback"])
def test_help_names_the_exit_codes(command: Command, name: str) -> None:
    result = command(name, "--help")
    assert result.exit_code == 0
    assert "Exit codes: 0 done, 1 refused" in " ".join(result.stdout.split())
    assert "--json" in result.stdout
