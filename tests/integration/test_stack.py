"""The life of a stack: started, found, stopped, killed, started again, and gone without a trace."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from supabase_local.temporary import read_variables
from tests.processes import Playground
from tests.stacks import serve_command

NOT_RUNNING = 3


@pytest.fixture
def playground() -> Iterator[Playground]:
    """Reachable for PostgreSQL's own account, which pytest's folders are not."""
    with tempfile.TemporaryDirectory(prefix="stacks-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        playground = Playground(Path(name))
        try:
            yield playground
        finally:
            for process in playground.processes():
                process.kill()


def run(playground: Playground, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supabase_local", command, *arguments],
        env=playground.environment(),
        cwd=playground.directory,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def start(playground: Playground, directory: str = "stack") -> dict[str, Any]:
    result = run(playground, "start", "--directory", directory, "--json")
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def stop(playground: Playground, directory: str = "stack") -> None:
    result = run(playground, "stop", "--directory", directory)
    assert result.returncode == 0, result.stderr


def spawn(playground: Playground, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        serve_command(*arguments),
        env=playground.environment(),
        cwd=playground.directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def put_and_get(variables: dict[str, Any]) -> list[str]:
    """What the stack remembers, one more each time: rows by way of the database, names of files by way of the API."""
    with psycopg.connect(variables["DB_URL"]) as connection:
        connection.execute("create table if not exists public.memory (id int generated always as identity)")
        connection.execute("insert into public.memory default values")
        rows = connection.execute("select id from public.memory order by id").fetchall()
    api, headers = f"{variables['API_URL']}/storage/v1", {"Authorization": f"Bearer {variables['SECRET_KEY']}"}
    with httpx.Client(headers=headers, timeout=20) as http:
        http.post(f"{api}/bucket", json={"name": "memory", "public": True})
        http.post(f"{api}/object/memory/{len(rows)}", content=f"file {len(rows)}").raise_for_status()
        return [http.get(f"{api}/object/public/memory/{row}").text for (row,) in rows]


def test_a_stack_is_started_found_and_stopped(playground: Playground) -> None:
    assert run(playground, "status", "--directory", "stack").returncode == NOT_RUNNING

    variables = start(playground)

    assert set(variables) == {
        "API_URL",
        "DB_URL",
        "ANON_KEY",
        "SERVICE_ROLE_KEY",
        "PUBLISHABLE_KEY",
        "SECRET_KEY",
        "JWT_SECRET",
    }
    status = run(playground, "status", "--directory", "stack", "--json")
    assert (status.returncode, json.loads(status.stdout)) == (0, variables)
    assert f'API_URL="{variables["API_URL"]}"' in run(playground, "status", "--directory", "stack").stdout
    again = run(playground, "start", "--directory", "stack", "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, variables)
    assert "already running" in again.stderr
    for secret in ("stack.json", "keys.json", "stack.log"):
        assert (playground.directory / "stack" / secret).stat().st_mode & 0o777 == 0o600

    stop(playground)

    assert run(playground, "status", "--directory", "stack").returncode == NOT_RUNNING
    assert playground.processes() == []
    assert "not running" in run(playground, "stop", "--directory", "stack").stderr


def test_a_stopped_stack_comes_back_with_its_data_keys_and_address(playground: Playground) -> None:
    before = start(playground)
    assert put_and_get(before) == ["file 1"]
    stop(playground)

    after = start(playground)

    assert after == before
    assert put_and_get(after) == ["file 1", "file 2"]
    stop(playground)


def test_a_killed_stack_is_not_running_and_comes_back_with_its_data(playground: Playground) -> None:
    before = start(playground)
    assert put_and_get(before) == ["file 1"]
    os.kill(json.loads((playground.directory / "stack" / "stack.json").read_text())["pid"], signal.SIGKILL)
    assert run(playground, "status", "--directory", "stack").returncode == NOT_RUNNING

    after = start(playground)

    assert put_and_get(after) == ["file 1", "file 2"]
    os.kill(json.loads((playground.directory / "stack" / "stack.json").read_text())["pid"], signal.SIGKILL)
    stop(playground)
    assert playground.processes() == []


def test_a_stale_pid_file_of_postgres_hurts_nobody(playground: Playground) -> None:
    put_and_get(start(playground))
    stop(playground)
    pid_file = playground.directory / "stack" / "postgres" / "data" / "postmaster.pid"
    data = pid_file.parent
    pid_file.write_text(f"{os.getpid()}\n{data}\n{int(time.time())}\n9\n\n127.0.0.1\n\nready\n")

    assert put_and_get(start(playground)) == ["file 1", "file 2"]
    stop(playground)


def test_stacks_run_side_by_side(playground: Playground) -> None:
    first, second = start(playground, "first"), start(playground, "second")

    assert set(first.values()).isdisjoint(second.values())
    assert (put_and_get(first), put_and_get(second)) == (["file 1"], ["file 1"])
    stop(playground, "first")
    assert put_and_get(second) == ["file 1", "file 2"]
    stop(playground, "second")
    assert playground.processes() == []


def test_a_failing_migration_is_named_and_nothing_stays_up(playground: Playground) -> None:
    migrations = playground.directory / "migrations"
    migrations.mkdir()
    (migrations / "20260101000000_broken.sql").write_text("create table nowhere.x ();")

    result = run(playground, "start", "--directory", "stack", "--migrations", "migrations")

    assert result.returncode == 1
    assert result.stderr.startswith('error: 20260101000000_broken.sql: schema "nowhere" does not exist')
    assert playground.processes() == []


def test_a_port_that_is_taken_is_named(playground: Playground) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(playground, "start", "--directory", "stack", "--port", str(port))

    assert (result.returncode, result.stderr) == (1, f"error: port {port} cannot be used: Address already in use\n")
    assert playground.processes() == []


@pytest.mark.parametrize("delay_s", [0.1, 0.5, 0.7, 0.9, 1.1, 1.4, 1.7, 2.2, 3.0])
def test_an_interrupt_at_any_moment_leaves_nothing(playground: Playground, delay_s: float) -> None:
    with spawn(playground) as process:
        time.sleep(delay_s)  # the moment is the point of this test
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.wait(60)

    assert playground.wait_until_empty() == ([], [])


def test_an_interrupted_first_start_can_be_repeated(playground: Playground) -> None:
    for delay_s in (0.8, 1.2):
        with spawn(playground, "--directory", "stack") as process:
            time.sleep(delay_s)  # inside initdb or shortly after
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        assert playground.processes() == []

    assert put_and_get(start(playground)) == ["file 1"]
    stop(playground)


def test_an_interrupted_start_takes_its_stack_down(playground: Playground) -> None:
    command = [sys.executable, "-m", "supabase_local", "start", "--directory", "stack"]
    with subprocess.Popen(command, env=playground.environment(), cwd=playground.directory) as process:
        lock = playground.directory / "stack" / "lock"
        deadline = time.monotonic() + 30
        while not lock.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.wait(60)

    assert process.returncode == 130
    assert playground.processes() == []


def test_a_ready_stack_goes_when_told(playground: Playground) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with spawn(playground) as process:
            assert process.stdout is not None
            variables = read_variables(process.stdout)
            assert httpx.get(f"{variables.api_url}/health").status_code == 200
            process.send_signal(number)
            assert process.wait(60) == 0
        assert playground.wait_until_empty() == ([], [])


def test_a_stack_goes_with_the_parent_that_was_killed(playground: Playground) -> None:
    command = serve_command("--until-stdin-closes")
    parent = f"import subprocess; subprocess.Popen({command!r}, stdin=subprocess.PIPE).wait()"
    with subprocess.Popen(
        [sys.executable, "-c", parent], env=playground.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        read_variables(process.stdout)
        process.kill()

    assert playground.wait_until_empty() == ([], [])


def test_root_may_keep_a_stack_where_nobody_else_may_look(playground: Playground) -> None:
    private = playground.directory / "private"
    private.mkdir(mode=0o700)

    variables = start(playground, "private/stack")

    assert put_and_get(variables) == ["file 1"]
    stop(playground, "private/stack")
    assert put_and_get(start(playground, "private/stack")) == ["file 1", "file 2"]
    stop(playground, "private/stack")
