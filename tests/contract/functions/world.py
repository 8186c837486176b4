"""A whole stack that serves the functions, with a stand-in for Gemini beside it and job types for tests."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from supabase_local.directory import StackVariables
from supabase_local.temporary import STOP_S, read_variables
from tests.databases import MIGRATIONS, ROOT
from tests.stacks import serve_command

FUNCTIONS = ROOT / "supabase" / "functions"
OWN_MIGRATIONS = Path(__file__).with_name("migrations")
VERIFY_TOKEN, APP_SECRET, GEMINI_KEY, META_TOKEN = "verify-me", "app-secret", "gemini-key", "meta-token"
ANSWER = {"said": "oi"}
SAID = {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}
CONTRACT = {
    "type": "echo",
    "prompt_version": "echo.v1",
    "result_schema": SAID,
    "sync": {
        "model": "gemini-test",
        "system": "Be brief.",
        "user_template": "{{input}}",
        "response_schema": SAID,
        "timeout_seconds": 20,
        "prices": {"input": 1.5, "cached_input": 0.15, "output": 7.5},
    },
}


@dataclass(frozen=True, slots=True)
class User:
    id: str
    token: str


@dataclass(slots=True)
class Gemini:
    """Answers every question by `answer`, or fails with `status`, and remembers the questions."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    answer: object = field(default_factory=lambda: ANSWER)
    status: int = 200


@dataclass(slots=True)
class Graph:
    """Meta's, with the pictures that people sent, by their ids."""

    url: str
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    stack: StackVariables
    gemini: Gemini
    graph: Graph
    http: httpx.Client

    def sign_up(self) -> User:
        body = {"email": f"{uuid4()}@example.com", "password": "segredo1"}
        answer = self.http.post("/auth/v1/signup", json=body, headers={"apikey": self.stack.anon_key})
        answer.raise_for_status()
        return User(answer.json()["user"]["id"], answer.json()["access_token"])

    def call(self, method: str, function: str, token: str | None, **more: Any) -> httpx.Response:
        headers = {"apikey": self.stack.anon_key} | more.pop("headers", {})
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return self.http.request(method, f"/functions/v1/{function}", headers=headers, **more)

    def enqueue(self, user: User, **body: object) -> httpx.Response:
        return self.call("POST", "enqueue-analysis", user.token, json={"type": "echo", "input": {}} | body)

    def rpc(self, name: str, **arguments: object) -> Any:
        """As a service."""
        key = self.stack.service_role_key
        headers = {"apikey": key, "authorization": f"Bearer {key}"}
        answer = self.http.post(f"/rest/v1/rpc/{name}", json=arguments, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def complete(self, job_type: str, job_id: str, result: object) -> None:
        """What a worker does with this job, and with all others of its type that wait."""
        lease = str(uuid4())
        jobs = self.rpc("claim_job", worker_id="a worker", lease_id=lease, types=[job_type], max_jobs=50)
        assert job_id in [job["id"] for job in jobs]
        for job in jobs:
            assert self.rpc("complete_job", job_id=job["id"], lease_id=lease, result=result)["settled"]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.stack.db_url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.stack.db_url) as connection:
            connection.execute(statement.encode(), values)

    def deliver(self, delivery: object, signature: str | None = None) -> httpx.Response:
        """As Meta does, signed as it should be unless told otherwise."""
        body = json.dumps(delivery).encode()
        return self.http.post(
            "/functions/v1/whatsapp-webhook",
            content=body,
            headers={"content-type": "application/json", "x-hub-signature-256": signature or sign(body)},
        )


def sign(body: bytes) -> str:
    return "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()


@contextmanager
def running_world() -> Iterator[World]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="functions-tests-")))
        gemini = stack.enter_context(_gemini())
        graph = stack.enter_context(_graph())
        _lay_out(home, gemini, graph)
        process = stack.enter_context(
            subprocess.Popen(
                serve_command(
                    "--until-stdin-closes",
                    *("--migrations", str(home / "migrations")),
                    *("--functions", str(home / "functions")),
                    *("--functions-env", str(home / "functions.env")),
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=home,
            )
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            variables = read_variables(process.stdout)
            with httpx.Client(base_url=variables.api_url, timeout=30, trust_env=False) as http:
                yield World(variables, gemini, graph, http)
        finally:
            process.stdin.close()
            process.wait(STOP_S)


def _lay_out(home: Path, gemini: Gemini, graph: Graph) -> None:
    shutil.copytree(FUNCTIONS, home / "functions")
    contracts = home / "functions" / "_shared" / "contracts"
    contracts.mkdir(exist_ok=True)
    (contracts / "echo.json").write_text(json.dumps(CONTRACT))
    (contracts / "echo_cached.json").write_text(json.dumps(CONTRACT | {"type": "echo_cached"}))
    shutil.copy(FUNCTIONS.parent / "config.toml", home)
    settings = {
        "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "GEMINI_API_KEY": GEMINI_KEY,
        "GEMINI_URL": gemini.url,
        "WHATSAPP_TOKEN": META_TOKEN,
        "WHATSAPP_GRAPH_URL": graph.url,
    }
    (home / "functions.env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    (home / "migrations").mkdir()
    for file in (*MIGRATIONS.glob("*.sql"), *OWN_MIGRATIONS.glob("*.sql")):
        shutil.copy(file, home / "migrations")


@contextmanager
def _gemini() -> Iterator[Gemini]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            gemini.asked.append({"path": self.path, "key": self.headers["x-goog-api-key"], "body": json.loads(content)})
            candidate = {"finishReason": "STOP", "content": {"parts": [{"text": json.dumps(gemini.answer)}]}}
            usage = {"promptTokenCount": 100, "candidatesTokenCount": 10}
            document = {"candidates": [candidate], "usageMetadata": usage}
            _answer(self, gemini.status, "application/json", json.dumps(document).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it comes from
            pass

    gemini = Gemini("")
    with _serving(Handler) as gemini.url:
        yield gemini


@contextmanager
def _graph() -> Iterator[Graph]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            *_, version, media_id = self.path.split("/")
            picture = graph.pictures.get(media_id)
            if picture is None or self.headers["authorization"] != f"Bearer {META_TOKEN}":
                _answer(self, 404, "application/json", b"{}")
            elif version == "v23.0":
                _answer(self, 200, "application/json", json.dumps({"url": f"{graph.url}/bytes/{media_id}"}).encode())
            else:
                _answer(self, 200, "application/octet-stream", picture)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it comes from
            pass

    graph = Graph("")
    with _serving(Handler) as graph.url:
        yield graph


def _answer(handler: BaseHTTPRequestHandler, status: int, mime_type: str, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("content-type", mime_type)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The server's URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
