"""`analysis-worker init` in a stranger's project: what it writes, and that a worker runs with it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build
from analysis_worker.migrations import engine_migrations
from supabase_local.directory import StackVariables
from supabase_local.temporary import free_port
from tests.databases import MIGRATIONS
from tests.processes import COMMAND, Playground
from tests.stacks import running_stack

Command = Callable[..., Result]
OURS = {f"supabase/migrations/{file.name}" for file in engine_migrations(MIGRATIONS)}
WAIT_SECONDS = 30.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project" / "supabase").mkdir(parents=True)
    (tmp_path / "project" / "supabase" / "config.toml").write_text('project_id = "theirs"\n')
    return tmp_path / "project"


@pytest.fixture
def command(project: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(project)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(build(), ["init", *arguments], catch_exceptions=False)

    return run


def written(result: Result) -> set[str]:
    assert result.exit_code == 0, result.output
    return set(json.loads(result.stdout)["written"])


def test_the_engines_migrations_and_a_small_worker_are_written_once(command: Command, project: Path) -> None:
    files = written(command("--yes", "--json"))
    assert files >= OURS
    assert {Path(file).name for file in files - OURS if "job_types" not in file} == {
        "app.py", "Dockerfile", "requirements.txt", ".env.example", ".env",
    }  # fmt: skip
    assert not any("maxnutrition" in file or "medical" in file for file in files)
    assert (project / ".env").stat().st_mode & 0o777 == 0o600
    assert written(command("--yes", "--json")) == set()


def test_the_applications_own_types_come_after_the_engine(command: Command, project: Path) -> None:
    command("--yes")
    last = max(path.name for path in (project / "supabase" / "migrations").iterdir())
    assert last.endswith("_job_types.sql")


def test_what_is_there_is_kept_and_an_upgrade_adds_what_is_new(command: Command, project: Path) -> None:
    command("--yes")
    newest = project / max(OURS)
    newest.unlink()
    (project / "worker" / "app.py").write_text("mine = True\n")
    changed = project / min(OURS)
    changed.write_text("-- changed by hand\n")
    (project / ".env").write_text("SUPABASE_URL=https://mine\n")
    answer = json.loads(command("--yes", "--json").stdout)
    assert answer["written"] == [max(OURS)]
    assert answer["differ"] == [min(OURS)]
    assert changed.read_text() == "-- changed by hand\n"
    assert (project / "worker" / "app.py").read_text() == "mine = True\n"
    assert (project / ".env").read_text() == "SUPABASE_URL=https://mine\n"


def test_the_url_of_a_linked_project_is_known(command: Command, project: Path) -> None:
    (project / "supabase" / ".temp").mkdir()
    (project / "supabase" / ".temp" / "project-ref").write_text("abcdefghijklmnopqrst\n")
    command("--yes")
    assert "SUPABASE_URL=https://abcdefghijklmnopqrst.supabase.co\n" in (project / ".env").read_text()


def test_a_migration_of_the_same_version_stops_it_before_anything_is_written(command: Command, project: Path) -> None:
    (project / "supabase" / "migrations").mkdir()
    theirs = f"{Path(min(OURS)).name.partition('_')[0]}_theirs.sql"
    (project / "supabase" / "migrations" / theirs).touch()
    result = command("--yes")
    assert result.exit_code == 1
    assert theirs in result.stderr
    assert not (project / "worker").exists()


def test_outside_a_project_nothing_is_written_unless_one_is_wanted(command: Command, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    result = command(str(elsewhere), "--yes")
    assert result.exit_code == 2
    assert "supabase init" in result.stderr
    assert not elsewhere.exists()
    assert "supabase/config.toml" in written(command(str(elsewhere), "--create", "--yes", "--json"))


@pytest.mark.parametrize(("typed", "exit_code"), [("n\n", 1), ("y\n", 0)])
def test_somebody_at_a_terminal_is_asked(project: Path, typed: str, exit_code: int) -> None:
    terminal, end = pty.openpty()
    os.write(terminal, typed.encode())
    try:
        result = subprocess.run(
            [COMMAND, "init"], cwd=project, stdin=end, capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        os.close(end)
        os.close(terminal)
    assert result.returncode == exit_code, result.stderr
    assert (project / "worker").exists() is (exit_code == 0)


def test_nobody_at_a_terminal_has_to_say_yes(command: Command, project: Path) -> None:
    assert command().exit_code == 1
    assert not (project / "worker").exists()


@pytest.fixture
def empty_stack() -> Iterator[StackVariables]:
    """The platform, and nothing of ours."""
    with running_stack(migrations=False) as variables:
        yield variables


def test_a_strangers_worker_runs_a_job_on_an_empty_project(project: Path, empty_stack: StackVariables) -> None:
    playground = Playground(project)

    def run(*arguments: str, input: str | None = None) -> Any:
        result = subprocess.run(
            [COMMAND, *arguments, "--json"],
            env=playground.environment(),
            cwd=project,
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return json.loads(result.stdout)

    run("init", "--yes")
    (project / ".env").write_text(
        f"SUPABASE_URL={empty_stack.api_url}\nSUPABASE_SECRET_KEY={empty_stack.secret_key}\n"
        f"SUPABASE_PUBLISHABLE_KEY={empty_stack.publishable_key}\n"
    )
    applied = run("setup-db", "--db-url", empty_stack.db_url, "--migrations", "supabase/migrations")["applied"]
    assert len(applied) == len(OURS) + 1
    port = str(free_port())
    with playground.started("run", "--app", "worker.app:app", ANALYSIS_WORKER_PORT=port) as worker:
        answer = run("test-enqueue", "shout", "--input", "-", "--wait", "30", input='{"text": "hello"}')
        assert (answer["status"], answer["result"]) == ("completed", {"text": "HELLO"})
        (project / "input.json").write_text('{"text": "hello"}')
        assert run("test-e2e", "shout", "--input", "input.json")["passed"] is True
        faults = [finding for finding in run("doctor", "--app", "worker.app:app") if finding["level"] == "fault"]
        assert faults == []
        assert run("health", "--worker", f"http://127.0.0.1:{port}")["status"] == "ready"
        measured = {
            metric["name"]: metric["value"] for metric in run("metrics", "--worker", f"http://127.0.0.1:{port}")
        }
        assert measured["analysis_worker_jobs_total"] == 2
        worker.terminate()
        assert worker.wait(WAIT_SECONDS) == 0
