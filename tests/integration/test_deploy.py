"""`analysis-worker deploy`: what it asks others to do, in which order, and where it stops."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build
from tests.databases import MIGRATIONS, ROOT, Databases
from tests.integration.test_supabase_cli import NODE, TOOLS, installed_tools
from tests.servers import serving

__all__ = ["installed_tools"]

Command = Callable[..., Result]
# Writes down what it was called with, and answers as the CLI does.
FAKE = """\
#!{python}
import json, pathlib, sys
home = pathlib.Path({home!r})
with (home / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
answers = json.loads((home / "answers").read_text())
for words, (code, out, err) in answers.items():
    if words in " ".join(sys.argv[1:]):
        print(out)
        print(err, file=sys.stderr)
        sys.exit(code)
"""
# The real CLI, pointed at the test's database where it would go to the linked project.
REAL = """\
#!{python}
import os, sys
arguments = [{target!r} if word == "--linked" else word for word in sys.argv[1:]]
os.environ |= {{"HOME": {home!r}, "SUPABASE_TELEMETRY_DISABLED": "1", "PGSSLMODE": "disable"}}
os.execv({node!r}, [{node!r}, {script!r}, *arguments])
"""


@dataclass(slots=True)
class Bench:
    """A project, a fake CLI beside it, and EasyPanel's webhook."""

    project: Path
    home: Path
    webhook: str
    called: list[str] = field(default_factory=list)
    status: int = 200
    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)

    def install(self, program: str) -> None:
        file = self.home / "supabase"
        file.write_text(program)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def install_fake(self, **answers: tuple[int, str, str]) -> None:
        known = {"secrets list": (0, "[]", ""), "functions deploy": (0, "Deployed Functions.", "")}
        (self.home / "answers").write_text(
            json.dumps(known | {name.replace("_", " "): a for name, a in answers.items()})
        )
        self.install(FAKE.format(python=sys.executable, home=str(self.home)))

    def calls(self) -> list[list[str]]:
        file = self.home / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    project, home = tmp_path / "project", tmp_path / "home"
    home.mkdir()
    shutil.copytree(ROOT / "supabase", project / "supabase", ignore=shutil.ignore_patterns(".temp", "tests"))
    state = Bench(project, home, "")

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.called.append(self.path)
            self.send_response(state.status)
            self.end_headers()

    with serving(Webhook) as port:
        state.webhook = f"http://127.0.0.1:{port}/api/deploy/secret-token"
        yield state


@pytest.fixture
def command(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(bench.project)

    def run(*arguments: str, input: str | None = None, **more: str | None) -> Result:
        given = {"ANALYSIS_WORKER_DEPLOY_WEBHOOK": bench.webhook, "PATH": str(bench.home)} | more
        result = CliRunner().invoke(build(), ["deploy", *arguments], env=given, input=input, catch_exceptions=False)
        assert "secret-token" not in result.output
        return result

    return run


def states(result: Result, exit_code: int = 0) -> dict[str, str]:
    assert result.exit_code == exit_code, result.output
    return {step["name"]: step["state"] for step in json.loads(result.stdout)}


@pytest.fixture
def platform(databases: Databases) -> Iterator[str]:
    with databases.copied("platform") as name:
        yield databases.url(name)


def applied(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from supabase_migrations.schema_migrations").fetchone()
        assert row is not None
        return int(row[0])


def test_everything_is_deployed_in_order_and_each_step_says_what_came_of_it(
    command: Command, bench: Bench, platform: str
) -> None:
    bench.install_fake(secrets_list=(0, '[{"name": "GEMINI_API_KEY"}]', ""))
    result = command("--json", "--db-url", "-", input=f"{platform}\n")
    assert states(result) == {"migrations": "done", "secrets": "done", "functions": "done", "worker": "done"}
    details = {step["name"]: step["detail"] for step in json.loads(result.stdout)}
    number = len(list(MIGRATIONS.glob("*.sql")))
    assert details["migrations"] == f"{number} applied, 0 were there"
    assert details["secrets"] == "not set: WHATSAPP_APP_SECRET, WHATSAPP_TOKEN, WHATSAPP_VERIFY_TOKEN"
    assert bench.calls() == [["secrets", "list", "--output", "json"], ["functions", "deploy", "--yes"]]
    assert bench.called == ["/api/deploy/secret-token"]
    assert applied(platform) == number
    again = command("--db-url", platform).stdout.splitlines()
    assert again[0].endswith(f"0 applied, {number} were there")
    assert again[-1].startswith("done      worker")


def test_a_dry_run_names_the_steps_and_does_none(command: Command, bench: Bench, platform: str) -> None:
    bench.install_fake()
    password = "postgres:postgres@"
    assert password in platform
    result = command("--dry-run", "--db-url", platform)
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["planned", "migrations:"], ["planned", "secrets:"], ["planned", "functions:"], ["planned", "worker:"],
    ]  # fmt: skip
    assert password not in result.output
    assert "supabase functions deploy (analyze-sync, cancel-analysis, " in result.stdout
    assert set(states(command("--dry-run", "--json")).values()) == {"planned"}
    assert (bench.calls(), bench.called) == ([], [])


def test_after_a_step_that_failed_nothing_more_is_done(command: Command, bench: Bench) -> None:
    bench.install_fake(
        functions_deploy=(1, "", "bundling\nunexpected token postgres://u:geheim@db/x"), db_push=(0, "Finished", "")
    )
    result = command("--json")
    assert states(result, 1) == {"migrations": "done", "secrets": "done", "functions": "failed", "worker": "not done"}
    assert "unexpected token" in result.stdout
    assert "geheim" not in result.stdout
    assert bench.calls()[0] == ["db", "push", "--linked", "--include-all", "--yes"]
    assert bench.called == []


def test_a_migration_that_fails_stops_it(command: Command, bench: Bench, platform: str) -> None:
    bench.install_fake()
    (bench.project / "supabase" / "migrations" / "20991231000000_broken.sql").write_text("select 1 / 0")
    result = command("--db-url", platform)
    assert result.exit_code == 1
    assert [line.split(":")[0].split(" (")[0] for line in result.stdout.splitlines() if line[0] != " "] == [
        "failed    migrations", "not done  secrets", "not done  functions", "not done  worker",
    ]  # fmt: skip
    assert "20991231000000_broken.sql: division by zero" in result.stdout


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("migrations", {"migrations": "done"}),
        ("functions", {"secrets": "done", "functions": "done"}),
        ("worker", {"worker": "done"}),
    ],
)
def test_a_part_is_deployed_alone(
    command: Command, bench: Bench, platform: str, part: str, expected: dict[str, str]
) -> None:
    bench.install_fake()
    assert states(command("--only", part, "--db-url", platform, "--json")) == expected


def test_a_webhook_that_refuses_or_is_away_has_failed(command: Command, bench: Bench) -> None:
    bench.status = 404
    result = command("--only", "worker")
    assert result.exit_code == 1
    assert result.stdout.startswith("failed    worker")
    assert result.stdout.endswith(": the webhook answered HTTP 404\n")
    gone = "http://127.0.0.1:1/secret-token"
    assert command("--only", "worker", ANALYSIS_WORKER_DEPLOY_WEBHOOK=gone).exit_code == 1


def test_what_is_missing_is_said_before_anything_is_done(command: Command, bench: Bench, platform: str) -> None:
    result = command("--db-url", platform)
    assert result.exit_code == 2
    assert "npm install --save-dev supabase" in result.stderr
    with psycopg.connect(platform) as connection:
        assert connection.execute("select to_regclass('public.analysis_jobs')").fetchone() == (None,)
    assert bench.called == []
    result = command("--only", "worker", ANALYSIS_WORKER_DEPLOY_WEBHOOK=None)
    assert (result.exit_code, result.stderr) == (2, "error: worker: ANALYSIS_WORKER_DEPLOY_WEBHOOK is not set\n")


def test_what_a_project_does_not_have_is_passed_over(command: Command, bench: Bench, platform: str) -> None:
    shutil.rmtree(bench.project / "supabase" / "functions")
    result = command("--db-url", platform, "--json", ANALYSIS_WORKER_DEPLOY_WEBHOOK=None)
    assert states(result) == {"migrations": "done", "functions": "skipped", "worker": "skipped"}


def test_an_npm_package_of_the_project_is_found(command: Command, bench: Bench) -> None:
    bench.install_fake()
    (bench.home / "supabase").rename(bench.home / "npx")
    assert command("--only", "functions").exit_code == 2
    packages = bench.project / "node_modules" / ".bin"
    packages.mkdir(parents=True)
    (packages / "supabase").touch()
    assert command("--only", "functions", "--json").exit_code == 0
    assert bench.calls()[-1] == ["supabase", "functions", "deploy", "--yes"]


@pytest.mark.usefixtures("installed_tools")
def test_the_real_cli_applies_the_migrations(command: Command, bench: Bench, platform: str) -> None:
    script = str(TOOLS / "node_modules" / "supabase" / "dist" / "supabase.js")
    assert "@127.0.0.1:" in platform
    bench.install(
        REAL.format(
            python=sys.executable, target=f"--remote={platform}", home=str(bench.home), node=str(NODE), script=script
        )
    )
    path = os.environ["PATH"]
    assert states(command("--only", "migrations", "--json", PATH=f"{bench.home}:{path}")) == {"migrations": "done"}
    assert applied(platform) == len(list(MIGRATIONS.glob("*.sql")))
    # Where nobody has signed in, it says so, and so do we.
    result = command("--only", "functions", "--json", PATH=f"{bench.home}:{path}", SUPABASE_ACCESS_TOKEN=None)
    assert states(result, 1) == {"secrets": "failed", "functions": "not done"}
    assert "supabase login" in result.stdout
