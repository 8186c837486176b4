"""Every command of the program, ours and the application's, does its work against a stack and tells it as JSON.

A new command fails here until it has an example, or names the test that runs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build
from docs._reference.commands import commands
from supabase_local.directory import StackVariables
from tests.e2e import test_demo
from tests.integration import test_dashboard_entrance, test_init, test_stack, test_worker_process
from tests.sql.factories import call, claim

Path_ = tuple[str, ...]
COMMANDS: dict[Path_, Any] = dict(commands())
TYPE = "sampled"
# The arguments of each, what it exits with where that is not 0, and what has to be there before.
EXAMPLES: dict[Path_, tuple[str, int]] = {
    ("init",): ("project --create --yes --json", 0),
    ("setup-db",): ("--db-url {db_url} --json", 0),
    ("deploy",): ("--only migrations --project {checkout} --db-url {db_url} --yes --json", 0),
    ("doctor",): ("--json", 1),  # no worker runs
    ("health",): ("--json", 4),  # no worker runs
    ("alerts",): ("--json", 0),
    ("test-enqueue",): (f"{TYPE} --json", 0),
    ("load-test",): (f"{TYPE} --rate 5 --duration 0.2 --patience 1 --json", 1),  # no worker runs
    ("test-e2e",): (f"{TYPE} --timeout 1 --json", 1),  # no worker runs
    ("queue-stats",): ("--json", 0),
    ("logs",): ("{failed} --json", 0),
    ("jobs",): ("--json", 0),
    ("job",): ("{failed} --json", 0),
    ("retry",): ("{failed} --json", 0),
    ("cancel",): ("{pending} --json", 0),
    ("replay",): (f"--type {TYPE} --json", 0),
    ("pause",): (f"{TYPE} --json", 0),
    ("resume",): (f"{TYPE} --json", 0),
    ("prune",): ("--json", 0),
    ("delete-user",): ("{user} --yes --json", 0),
    ("flags",): ("--json", 0),
    ("enable",): ("sofia --json", 0),
    ("disable",): ("sofia --json", 0),
    ("rollout",): ("sofia 10% --json", 0),
    ("rollback",): ("--json", 0),
    ("contracts", "export"): ("contracts", 0),
    ("contracts", "check"): ("contracts", 1),  # none is there
    ("contracts", "migration"): ("", 0),
    ("contracts", "table"): ("", 0),
    ("foods", "import"): ("nowhere", 2),
    ("foods", "search"): ("arroz --json", 0),
}
ELSEWHERE: dict[Path_, Callable[..., None]] = {
    ("run",): test_worker_process.test_a_signal_lets_the_running_job_finish,
    ("metrics",): test_init.test_a_strangers_worker_runs_a_job_on_an_empty_project,
    ("dashboard",): test_dashboard_entrance.test_on_this_machine_the_command_makes_a_token_for_one_run,
    ("local", "start"): test_stack.test_a_stack_is_started_found_and_stopped,
    ("local", "status"): test_stack.test_a_stack_is_started_found_and_stopped,
    ("local", "stop"): test_stack.test_a_stack_is_started_found_and_stopped,
    ("demo",): test_demo.test_a_meal_in_words_needs_no_key,
}
# Those that print files, or a log.
WITHOUT_JSON = {
    ("run",),
    ("local", "stop"),
    ("contracts", "export"),
    ("contracts", "check"),
    ("contracts", "migration"),
    ("contracts", "table"),
    ("foods", "import"),
}
JSON_LINES = {("logs",)}


@pytest.fixture
def scene(stack: StackVariables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A failed and a pending job, and a user; everything as it was afterwards."""
    monkeypatch.chdir(tmp_path)  # where no .env lies
    checkout = Path(__file__).parents[2]
    with psycopg.connect(stack.db_url, autocommit=True) as database:
        database.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", [TYPE])
        failed, lease_id, user = new_job(database), uuid4(), str(uuid4())
        claim(database, "w1", lease_id, types=[TYPE])
        error = {"code": "broken", "message": "It broke."}
        call(database, "fail_job", job_id=UUID(failed), lease_id=lease_id, error=error, retryable=False)
        database.execute("insert into auth.users (id) values (%s)", [user])
        database.execute("delete from public.analysis_workers")  # w1 lives no longer, whatever was known a moment ago
        database.execute("update public.analysis_health set checked_at = checked_at - interval '1 hour'")
        yield {
            "db_url": stack.db_url, "failed": failed, "pending": new_job(database), "user": user, "checkout": checkout,
        }  # fmt: skip
        database.execute("truncate public.analysis_jobs, public.analysis_workers, public.analysis_audit cascade")
        database.execute("delete from public.analysis_types where type = %s", [TYPE])
        database.execute("delete from auth.users")
        database.execute("update public.analysis_flags set enabled = key = 'all', rollout_bps = 10000")


def new_job(database: psycopg.Connection[Any]) -> str:
    row = database.execute(
        "insert into public.analysis_jobs (type, input) values (%s, '{}') returning id::text", [TYPE]
    )
    return str(row.fetchall()[0][0])


def run(stack: StackVariables, *arguments: str) -> Result:
    environment = {
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
    }
    return CliRunner().invoke(build(), arguments, env=environment, catch_exceptions=False)


def name(path: Path_) -> str:
    return " ".join(path)


def test_every_command_has_an_example_or_a_test_of_its_own() -> None:
    assert COMMANDS.keys() == EXAMPLES.keys() | ELSEWHERE.keys()


def test_every_command_speaks_json_but_for_those_that_print_files_or_a_log() -> None:
    silent = {path for path, command in COMMANDS.items() if not any("--json" in each.opts for each in command.params)}
    assert silent == WITHOUT_JSON
    assert all("--json" in EXAMPLES[path][0] for path in EXAMPLES.keys() - WITHOUT_JSON)


# Those of `local` are another program's, and take a second each.
@pytest.mark.parametrize("path", [path for path in COMMANDS if path[0] != "local"], ids=name)
def test_the_help_of_every_command_is_shown(stack: StackVariables, path: Path_) -> None:
    result = run(stack, *path, "--help")
    assert result.exit_code == 0
    assert f"Usage: analysis-worker {name(path)}" in result.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_the_example_of_every_command_works(stack: StackVariables, scene: dict[str, Any], path: Path_) -> None:
    arguments, exit_code = EXAMPLES[path]
    result = run(stack, *path, *arguments.format(**scene).split())
    assert result.exit_code == exit_code, result.output
    if path in JSON_LINES:
        assert all(isinstance(json.loads(line), dict) for line in result.stdout.splitlines())
        assert result.stdout
    elif "--json" in arguments:
        json.loads(result.stdout)
