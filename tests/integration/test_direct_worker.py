"""A worker next to the database, as a process: without HTTP, with the rights of a worker, and a database that goes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from analysis_worker import ConfigurationError, Settings
from analysis_worker.adapters.postgres import read_database_url
from analysis_worker.service import run_worker
from supabase_local.temporary import free_port
from tests.apps import TYPE, app
from tests.databases import ROOT, Databases, as_worker
from tests.processes import Playground

WAIT_SECONDS = 30.0


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.copied("migrated") as name:
        with psycopg.connect(databases.url(name)) as connection:
            connection.execute("insert into public.analysis_types (type) values (%s)", (TYPE,))
        yield databases.url(name)


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    return Playground(tmp_path)


def ask(url: str, statement: str, *parameters: object) -> list[DictRow]:
    """On a connection of its own: the database may have been restarted."""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        return connection.execute(statement, parameters).fetchall()


def enqueue(url: str, gate: Path) -> UUID:
    statement = "insert into public.analysis_jobs (type, input) values (%s, %s) returning id"
    job_id: UUID = ask(url, statement, TYPE, Jsonb({"path": str(gate)}))[0]["id"]
    return job_id


def wait_for(url: str, job_id: UUID, status: str) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while (row := ask(url, "select * from public.analysis_jobs where id = %s", job_id)[0])["status"] != status:
        assert time.monotonic() < give_up_at, f"still {row['status']}: {row['error']}"
        time.sleep(0.02)


def attempts(url: str, job_id: UUID) -> list[tuple[int, str | None]]:
    statement = "select attempt, outcome from public.analysis_attempts where job_id = %s order by started_at"
    return [(row["attempt"], row["outcome"]) for row in ask(url, statement, job_id)]


def worker(url: str, playground: Playground, **environment: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Nobody answers at its SUPABASE_URL."""
    variables = {
        "PYTHONPATH": str(ROOT),
        "SUPABASE_URL": f"http://127.0.0.1:{free_port()}",
        "SUPABASE_SECRET_KEY": "none",
        "ANALYSIS_WORKER_DATABASE_URL": url,
        "ANALYSIS_WORKER_HEARTBEAT_SECONDS": "0.5",
        "ANALYSIS_WORKER_LEASE_SECONDS": "60",
        "ANALYSIS_WORKER_LOG_LEVEL": "TRACE",
    }
    return playground.started("run", "--app", "tests.apps:app", **variables | environment)


def lines_until(process: subprocess.Popen[str], event: str, **fields: object) -> list[dict[str, Any]]:
    assert process.stderr is not None
    lines: list[dict[str, Any]] = []
    for text in process.stderr:
        lines.append(json.loads(text))
        if lines[-1]["event"] == event and fields.items() <= lines[-1].items():
            return lines
    raise AssertionError(f"it ended without {event} {fields}: {lines}")


def test_a_worker_without_http_and_with_the_rights_of_a_worker_is_woken_and_settles(
    url: str, playground: Playground
) -> None:
    gate = playground.directory / "gate"
    gate.touch()
    login = as_worker(url)
    with worker(login, playground) as process:
        lines_until(process, "listen", state="ready")
        for _ in range(3):  # the first may still be found by the sweep at the start
            job_id = enqueue(url, gate)
            wait_for(url, job_id, "completed")
            (*_, claimed) = lines_until(process, "claimed", job_id=str(job_id))
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=WAIT_SECONDS)
    assert claimed["woken_by"] == "doorbell"
    assert process.returncode == 0
    assert str(conninfo_to_dict(login)["password"]) not in log
    assert ask(url, "select id from public.analysis_workers") == []


def test_a_worker_whose_connections_are_all_ended_goes_on_with_its_job(url: str, playground: Playground) -> None:
    gate = playground.directory / "gate"
    with worker(as_worker(url), playground) as process:
        job_id = enqueue(url, gate)
        wait_for(url, job_id, "processing")
        statement = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'analysis-worker'"
        assert len(ask(as_worker(url), statement)) >= 3, "of the queue, of the heartbeats, of the listener"
        gate.touch()
        wait_for(url, job_id, "completed")
        lines_until(process, "listen", state="degraded")
        lines_until(process, "listen", state="ready")
        second = enqueue(url, gate)
        wait_for(url, second, "completed")
    assert (attempts(url, job_id), attempts(url, second)) == ([(1, "completed")], [(1, "completed")])


def test_a_restart_of_the_database_costs_no_attempt(databases: Databases, url: str, playground: Playground) -> None:
    gate = playground.directory / "gate"
    with worker(as_worker(url), playground) as process:
        job_id = enqueue(url, gate)
        wait_for(url, job_id, "processing")
        databases.server.stop("fast")
        gate.touch()
        lines_until(process, "settlement not answered, sending again")
        databases.server.start()
        wait_for(url, job_id, "completed")
        lines_until(process, "listen", state="ready")
        second = enqueue(url, gate)
        wait_for(url, second, "completed")
    assert (attempts(url, job_id), attempts(url, second)) == ([(1, "completed")], [(1, "completed")])


def test_a_refused_password_is_waited_out_and_stays_secret(url: str, playground: Playground) -> None:
    wrong = psycopg.conninfo.make_conninfo(as_worker(url), password="correct-horse-battery")
    with worker(wrong, playground) as process:
        lines = lines_until(process, "database not reachable")
        lines += lines_until(process, "heartbeat failed")
        assert process.poll() is None
    assert "correct-horse-battery" not in json.dumps(lines)


def test_a_url_that_is_none_is_named_by_its_variable(playground: Playground) -> None:
    with worker("https://example.com/secret", playground) as process:
        _, log = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 2
    assert "ANALYSIS_WORKER_DATABASE_URL: not a connection string" in log


@pytest.mark.parametrize(
    "wrong",
    [
        "https://example.com/secret",
        "host=x nonsense=secret",
        "postgres//:secret",
        "postgresql://worker:p@secret@127.0.0.1/postgres",
        "postgresql://worker:secret/p@127.0.0.1/postgres",
        "postgresql://worker:1/secret@127.0.0.1/postgres",
    ],
)
def test_a_url_that_is_none_is_not_shown(wrong: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_database_url(wrong)
    assert "secret" not in "".join(traceback.format_exception(error.value))


@pytest.mark.anyio
async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg_pool", None)
    for module in ("postgres", "listen"):
        monkeypatch.delitem(sys.modules, f"analysis_worker.adapters.{module}", raising=False)
    settings = Settings(supabase_url="http://127.0.0.1:1", supabase_key="none", database_url="postgresql://x")
    with pytest.raises(ConfigurationError, match=r"analysis-worker\[postgres\]"):
        with anyio.fail_after(WAIT_SECONDS):
            await run_worker(settings, app, lambda _: None)
