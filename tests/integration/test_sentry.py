"""What Sentry is told of a worker's errors, seen from a Sentry of our own, and what it is never told."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import psycopg
import pytest
from loguru import logger
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from analysis_worker import ConfigurationError, Handler, JobContext, Settings
from analysis_worker.adapters.sentry import reporting_errors
from analysis_worker.handlers import AnyHandler
from supabase_local.directory import StackVariables
from tests.databases import ROOT
from tests.processes import Playground
from tests.servers import serving

TYPE = "careless"
SECRETS = {
    "cpf": "529.982.247-25",
    "mail": "ana.souza@example.com",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl",
    "health": "glicemia de 312",
}
NOTHING: dict[str, str] = {}
WAIT_SECONDS = 30.0


class Patient(BaseModel):
    text: str


async def blurt(patient: Patient, context: JobContext) -> Patient:
    said = f"cannot read {patient.text}"
    try:
        return Patient(text=NOTHING[said])
    except KeyError as error:
        raise ValueError(said) from error


@asynccontextmanager
async def app(settings: Settings) -> AsyncIterator[Iterable[AnyHandler]]:
    yield [Handler(type=TYPE, input=Patient, result=Patient, run=blurt)]


@asynccontextmanager
async def crashing(settings: Settings) -> AsyncIterator[Iterable[AnyHandler]]:
    raise RuntimeError(f"cannot open {SECRETS['mail']}")
    yield []


@dataclass(slots=True)
class Sentry:
    dsn: str = ""
    bodies: list[str] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def event(self) -> dict[str, Any]:
        """The one event of the one envelope."""
        assert self.arrived.wait(WAIT_SECONDS)
        (body,) = self.bodies
        _, header, payload = body.splitlines()
        assert json.loads(header)["type"] == "event"
        event: dict[str, Any] = json.loads(payload)
        return event


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    state = Sentry()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            state.bodies.append((gzip.decompress(body) if packed else body).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")
            state.arrived.set()

    with serving(Endpoint) as port:
        state.dsn = f"http://public@127.0.0.1:{port}/1"
        yield state


@pytest.fixture
def database(stack: StackVariables) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute(
            "insert into public.analysis_types (type, max_attempts) values (%s, 1) on conflict do nothing", [TYPE]
        )
        yield connection
        connection.execute("delete from public.analysis_jobs where type = %s", [TYPE])
        connection.execute("delete from public.analysis_types where type = %s", [TYPE])


def variables(stack: StackVariables, dsn: str) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "ANALYSIS_WORKER_SENTRY_DSN": dsn,
    }


def test_an_error_of_a_handler_is_reported_with_its_job_and_nothing_of_its_input(
    stack: StackVariables, database: psycopg.Connection[Any], sentry: Sentry, tmp_path: Path
) -> None:
    row = database.execute(
        "insert into public.analysis_jobs (type, input, max_attempts) values (%s, %s, 1) returning id::text",
        [TYPE, Jsonb({"text": " ".join(SECRETS.values())})],
    ).fetchone()
    assert row is not None
    with Playground(tmp_path).started(
        "run", "--app", "tests.integration.test_sentry:app", **variables(stack, sentry.dsn)
    ) as worker:
        event = sentry.event()
        worker.terminate()
        assert worker.wait(WAIT_SECONDS) == 0
    assert [error["type"] for error in event["exception"]["values"]] == ["KeyError", "ValueError"]
    assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "blurt"
    assert event["logentry"]["message"] == "handler raised"
    tags = event["tags"]
    assert (tags["type"], tags["attempt"], tags["job_id"]) == (TYPE, "1", row[0])
    assert tags["worker"]
    for secret in [*SECRETS.values(), stack.secret_key, "vars"]:
        assert secret not in sentry.bodies[0]


def test_a_worker_that_crashes_says_so_before_it_is_gone(stack: StackVariables, sentry: Sentry, tmp_path: Path) -> None:
    with Playground(tmp_path).started(
        "run", "--app", "tests.integration.test_sentry:crashing", **variables(stack, sentry.dsn)
    ) as worker:
        _, log = worker.communicate(timeout=WAIT_SECONDS)
    assert worker.returncode == 1, log
    event = sentry.event()
    assert event["logentry"]["message"] == "worker crashed"
    assert "RuntimeError" in [error["type"] for error in event["exception"]["values"]]
    assert SECRETS["mail"] not in sentry.bodies[0]


def engine_logs(level: str, what: str) -> None:
    """As a module of the engine would."""
    namespace = {"__name__": "analysis_worker.lease", "logger": logger}
    exec(f"logger.log({level!r}, {what!r})", namespace)  # noqa: S102 - the name is read from the frame


def test_only_errors_of_the_engine_are_reported(sentry: Sentry) -> None:
    with reporting_errors(sentry.dsn):
        logger.error("somebody else's")
        engine_logs("WARNING", "only a warning")
    with pytest.raises(ConfigurationError), reporting_errors(sentry.dsn):
        raise ConfigurationError("ANALYSIS_WORKER_PORT: taken")
    assert sentry.bodies == []
    with reporting_errors(sentry.dsn):
        engine_logs("ERROR", f"lost {SECRETS['mail']}")
    assert sentry.event()["logentry"]["message"] == "lost [e-mail]"


def test_a_sentry_that_is_away_holds_nobody_up() -> None:
    began_at = time.monotonic()
    with pytest.raises(RuntimeError), reporting_errors("http://public@127.0.0.1:1/1"):
        raise RuntimeError
    assert time.monotonic() - began_at < 10


def test_what_is_no_dsn_is_bad_configuration() -> None:
    with pytest.raises(ConfigurationError, match="ANALYSIS_WORKER_SENTRY_DSN: "), reporting_errors("nonsense"):
        pass


def test_without_a_dsn_the_sdk_is_not_even_imported(stack: StackVariables, tmp_path: Path) -> None:
    (tmp_path / "nosy.py").write_text(
        "import sys\n"
        "from contextlib import asynccontextmanager\n"
        "from analysis_worker import ConfigurationError\n\n\n"
        "@asynccontextmanager\n"
        "async def app(settings):\n"
        "    raise ConfigurationError(f\"imported: {'sentry_sdk' in sys.modules}\")\n"
        "    yield []\n"
    )
    environment = variables(stack, "")
    del environment["ANALYSIS_WORKER_SENTRY_DSN"]
    environment["PYTHONPATH"] = str(tmp_path)
    with Playground(tmp_path).started("run", "--app", "nosy:app", **environment) as worker:
        _, log = worker.communicate(timeout=WAIT_SECONDS)
    assert "error: imported: False" in log
