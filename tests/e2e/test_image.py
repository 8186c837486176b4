"""The image as an engine runs it. ANALYSIS_TEST_IMAGE names it, ANALYSIS_TEST_ENGINE the engine, if not docker."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx
import psycopg
import pytest
from supabase import AsyncClientOptions, acreate_client

from analysis_worker.client import AnalysisClient, JobView
from maxnutrition.demo.request import DemoRequest, request_for
from supabase_local.directory import StackVariables
from supabase_local.temporary import free_port
from tests.databases import as_worker
from tests.stacks import running_stack

ENGINE, IMAGE = os.environ.get("ANALYSIS_TEST_ENGINE", "docker"), os.environ.get("ANALYSIS_TEST_IMAGE", "")
READY_S, JOB_S, STOP_S = 60.0, 90.0, "40"
AS_DOCUMENTED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
READ_A_REPORT = """
from importlib.resources import files
from maxnutrition.exams.ocr_process import read_boxes
print(*(text for text, *_ in read_boxes((files("maxnutrition.samples") / "hemograma.jpg").read_bytes())), sep="\\n")
"""

pytestmark = pytest.mark.skipif(not IMAGE, reason="ANALYSIS_TEST_IMAGE names no image")


def engine(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ENGINE, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    port: int

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        return engine("exec", self.name, *command)

    def inspect(self, field: str) -> str:
        return engine("inspect", "--format", field, self.name).stdout.strip()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False, follow_redirects=True, timeout=20)

    def wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + READY_S
        while not self._is_ready():
            assert time.monotonic() < give_up_at, engine("logs", self.name).stderr
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            ready = self.get("/readyz")
        except httpx.TransportError:
            return False
        return ready.status_code == 200 and ready.json()["listener"] == "ready"


@contextmanager
def container(stack: StackVariables, **variables: str) -> Iterator[Container]:
    running = Container(f"analysis-worker-{uuid4().hex[:8]}", free_port())
    environment = {
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "ANALYSIS_WORKER_PORT": str(running.port),
        "ANALYSIS_WORKER_BIND_ADDRESS": "127.0.0.1",
    } | variables
    options = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
    started = engine("run", "--detach", "--name", running.name, "--network", "host", *AS_DOCUMENTED, *options, IMAGE)
    try:
        assert started.returncode == 0, started.stderr
        running.wait_until_ready()
        yield running
    finally:
        engine("rm", "--force", running.name)


@pytest.fixture(scope="module")
def stack() -> Iterator[StackVariables]:
    with running_stack() as variables:
        yield variables


@pytest.fixture(scope="module", params=["over HTTP", "next to the database"])
def worker(stack: StackVariables, request: pytest.FixtureRequest) -> Iterator[Container]:
    token = {"ANALYSIS_WORKER_DASHBOARD": "true", "ANALYSIS_DASHBOARD_TOKEN": "operator-token-for-tests"}
    direct = {"ANALYSIS_WORKER_DATABASE_URL": as_worker(stack.db_url)} if request.param != "over HTTP" else {}
    with container(stack, **token, **direct) as running:
        yield running


@asynccontextmanager
async def enqueued(stack: StackVariables, asked: DemoRequest) -> AsyncIterator[tuple[AnalysisClient, JobView]]:
    """By a new user, who has uploaded the file first."""
    async with httpx.AsyncClient(timeout=20) as http:
        options = AsyncClientOptions(httpx_client=http, auto_refresh_token=False)
        supabase = await acreate_client(stack.api_url, stack.publishable_key, options)
        user = (await supabase.auth.sign_in_anonymously()).user
        assert user is not None
        stored = {"bucket": "analysis-inputs", "path": f"{user.id}/{uuid4()}"}
        if asked.file is not None:
            bucket = supabase.storage.from_(stored["bucket"])
            await bucket.upload(stored["path"], asked.file.content, {"content-type": asked.file.mime_type})
        client = AnalysisClient(supabase)
        try:
            yield client, await client.enqueue(asked.type, asked.input(stored if asked.file else None))
        finally:
            await supabase.realtime.close()


def test_it_runs_as_nobody_who_can_write_nowhere(worker: Container) -> None:
    assert worker.execute("id", "-u").stdout.strip() == "10001"
    assert "Read-only file system" in worker.execute("touch", "/opt/here").stderr


def test_its_health_check_passes_on_any_port(worker: Container) -> None:
    kind, *command = json.loads(worker.inspect("{{json .Config.Healthcheck.Test}}"))
    assert kind == "CMD"
    checked = worker.execute(*command)
    assert checked.returncode == 0, checked.stderr


def test_the_dashboard_answers_on_the_workers_port(worker: Container) -> None:
    page = worker.get("/dashboard/")
    assert page.status_code == 200
    assert 'name="token"' in page.text


@pytest.mark.anyio
@pytest.mark.parametrize("type", ["sofia_text", "medical_exam", "meal_plan"])
async def test_analyses_complete_without_a_key(stack: StackVariables, worker: Container, type: str) -> None:
    async with enqueued(stack, request_for(type, None, None)) as (client, job):
        ended = await client.wait(job.id, JOB_S)
    assert (ended.status, ended.error) == ("completed", None)


def test_reading_a_lab_report_needs_no_network() -> None:
    read = engine(
        "run", "--rm", "--network", "none", *AS_DOCUMENTED, "--entrypoint", "python3", IMAGE, "-c", READ_A_REPORT
    )
    assert "Hemoglobina" in read.stdout, read.stderr


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("type", "grace", "left"), [("meal_plan", "25", ("completed", 1)), ("medical_exam", "0", ("pending", 0))]
)
async def test_a_stop_lets_jobs_finish_or_gives_them_back(type: str, grace: str, left: tuple[str, int]) -> None:
    with running_stack() as alone, container(alone, ANALYSIS_WORKER_GRACE_SECONDS=grace) as running:
        async with enqueued(alone, request_for(type, None, None)) as (client, job):
            async with aclosing(client.watch(job.id)) as states:
                await anext(state async for state in states if state.status == "processing")
            stopped = engine("stop", "--time", STOP_S, running.name)
            assert stopped.returncode == 0, stopped.stderr
        assert running.inspect("{{.State.Status}} {{.State.ExitCode}}") == "exited 0", engine(
            "logs", running.name
        ).stderr
        with psycopg.connect(alone.db_url) as connection:
            statement = "select status, attempt from public.analysis_jobs where id = %s"
            assert connection.execute(statement, [job.id]).fetchone() == left
