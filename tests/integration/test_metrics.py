"""A worker's port while it starts, works and drains, on a whole stack."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.types.json import Jsonb

from analysis_worker import monitoring
from analysis_worker.settings import Settings
from supabase_local.directory import StackVariables
from supabase_local.temporary import free_port
from tests.apps import TYPE
from tests.databases import ROOT
from tests.processes import Playground

WAIT_SECONDS = 30.0


@pytest.fixture
def database(stack: StackVariables) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute("insert into public.analysis_types (type) values (%s) on conflict do nothing", (TYPE,))
        yield connection
        connection.execute("delete from public.analysis_jobs")
        connection.execute("delete from public.analysis_workers")


def variables(stack: StackVariables, port: int, **more: str) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "ANALYSIS_WORKER_PORT": str(port),
        "ANALYSIS_WORKER_HEARTBEAT_SECONDS": "0.5",
        "ANALYSIS_WORKER_LEASE_SECONDS": "2",
        "ANALYSIS_WORKER_RECONCILE_SECONDS": "0.5",
    } | more


def get(port: int, path: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)
    except httpx.TransportError:
        return None


def wait_until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "did not happen in time"
        time.sleep(0.05)


def is_at(port: int, path: str, status: str) -> bool:
    response = get(port, path)
    return response is not None and response.json()["status"] == status


def samples(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = get(port, "/metrics")
    assert response is not None
    assert response.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(response.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(port: int, name: str, **labels: str) -> float | None:
    return samples(port).get((name, frozenset(labels.items())))


def enqueue(database: psycopg.Connection[Any], gate: Path) -> None:
    statement = "insert into public.analysis_jobs (type, input) values (%s, %s)"
    database.execute(statement, (TYPE, Jsonb({"path": str(gate)})))


def running(database: psycopg.Connection[Any]) -> bool:
    row = database.execute("select count(*) from public.analysis_jobs where status = 'processing'").fetchone()
    return row == (1,)


def test_a_worker_is_seen_from_its_start_to_its_end(
    stack: StackVariables, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    playground, port, gate = Playground(tmp_path), free_port(), tmp_path / "gate"
    with playground.started("run", "--app", "tests.apps:app", **variables(stack, port)) as worker:
        wait_until(lambda: is_at(port, "/startupz", "started"))
        wait_until(lambda: is_at(port, "/readyz", "ready"))
        assert is_at(port, "/livez", "live")
        enqueue(database, gate)
        wait_until(lambda: running(database))
        assert value(port, "analysis_worker_jobs_in_flight", type=TYPE) == 1
        assert value(port, "analysis_worker_listener_state", state="ready") == 1
        assert value(port, "analysis_queue_up") == 1
        assert (value(port, "analysis_queue_workers") or 0) >= 1
        worker.send_signal(signal.SIGTERM)
        wait_until(lambda: is_at(port, "/readyz", "draining"))
        assert is_at(port, "/livez", "live")
        gate.touch()
        assert worker.wait(WAIT_SECONDS) == 0
    assert get(port, "/livez") is None


def test_the_queues_numbers_are_told_by_type(
    stack: StackVariables, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    playground, port = Playground(tmp_path), free_port()
    database.execute("update public.analysis_types set paused = true where type = %s", (TYPE,))
    for _ in range(3):
        enqueue(database, tmp_path / "never")
    try:
        with playground.started("run", "--app", "tests.apps:app", **variables(stack, port)):
            wait_until(lambda: is_at(port, "/startupz", "started"))
            states = {
                state: value(port, "analysis_queue_jobs", type=TYPE, state=state)
                for state in ("claimable", "waiting", "delayed", "running")
            }
            assert sum(number or 0 for number in states.values()) == 3
            assert value(port, "analysis_queue_paused", type=TYPE) == 1
            assert value(port, "analysis_queue_paused", type="medical_exam") == 0
            assert (value(port, "analysis_queue_oldest_seconds", type=TYPE) or 0) > 0
    finally:
        database.execute("update public.analysis_types set paused = false where type = %s", (TYPE,))


def test_without_realtime_and_without_a_project_it_lives_and_says_so(tmp_path: Path, stack: StackVariables) -> None:
    playground, port = Playground(tmp_path), free_port()
    nowhere = variables(stack, port, SUPABASE_URL=f"http://127.0.0.1:{free_port()}", ANALYSIS_WORKER_REALTIME="false")
    with playground.started("run", "--app", "tests.apps:app", **nowhere):
        wait_until(lambda: is_at(port, "/livez", "live"))
        wait_until(
            lambda: (value(port, "analysis_worker_queue_calls_total", function="claim_job", answer="none") or 0) > 0
        )
        assert is_at(port, "/readyz", "starting")
        assert value(port, "analysis_queue_up") == 0
        assert value(port, "analysis_queue_jobs", type=TYPE, state="running") is None


def test_a_worker_that_cannot_have_its_port_does_not_start(
    stack: StackVariables, tmp_path: Path, database: psycopg.Connection[Any]
) -> None:
    gateway = int(stack.api_url.rpartition(":")[2])
    playground = Playground(tmp_path)
    with playground.started("run", "--app", "tests.apps:app", **variables(stack, gateway)) as worker:
        _, log = worker.communicate(timeout=WAIT_SECONDS)
    assert worker.returncode == 2
    assert f"error: ANALYSIS_WORKER_PORT: cannot listen on 127.0.0.1:{gateway}" in log
    assert "Traceback" not in log
    assert database.execute("select id from public.analysis_workers").fetchall() == []


@pytest.mark.anyio
async def test_without_a_client_for_prometheus_metrics_name_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "_meters", lambda: None)
    port = free_port()
    settings = Settings(
        supabase_url="http://127.0.0.1:1",
        supabase_key="none",
        port=port,
        _env_file=None,
    )
    async with monitoring.open_monitoring(settings), httpx.AsyncClient() as client:
        response = await client.get(f"http://127.0.0.1:{port}/metrics")
        probe = await client.get(f"http://127.0.0.1:{port}/livez")
    assert (response.status_code, probe.status_code) == (501, 200)
    assert "analysis-worker[metrics]" in response.text


def test_promtool_has_nothing_to_say_about_a_scrape(
    stack: StackVariables, database: psycopg.Connection[Any], tmp_path: Path, promtool: str
) -> None:
    playground, port, gate = Playground(tmp_path), free_port(), tmp_path / "gate"
    gate.touch()
    enqueue(database, gate)
    with playground.started("run", "--app", "tests.apps:app", **variables(stack, port)):
        wait_until(lambda: get(port, "/livez") is not None)
        wait_until(lambda: value(port, "analysis_worker_jobs_total", type=TYPE, outcome="completed") == 1)
        scrape = get(port, "/metrics")
    assert scrape is not None
    check = subprocess.run(
        [promtool, "check", "metrics"], input=scrape.text, capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in (check.stdout + check.stderr).splitlines() if line.startswith("analysis_")]
    assert complaints == []


@pytest.fixture(scope="session")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian's package prometheus has it)")
    return found
