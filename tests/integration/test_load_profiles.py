"""Users of the gateway, by both tools, for seconds: that they work, not how quick this machine is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.databases import ROOT

LOAD = ROOT / "benchmarks" / "load"
BIN = Path(sys.executable).parent
TOOLS = [
    pytest.param(tool, marks=pytest.mark.skipif(not (BIN / tool).exists(), reason=f"{tool} is of the group load"))
    for tool in ("locust", "k6")
]
GIVEN_UP = {
    "locust": (["-f", "locustfile.py", "--headless", "--shape", "smoke", "--stretch", "0.3"], 1),
    "k6": (["run", "--quiet", "gateway.js"], 99),
}
SAID = {"locust": "limit not kept: failures 1, at most 0.01", "k6": "'rate<=0.01' rate="}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_job_of_the_users_comes_to_its_end(tool: str) -> None:
    command = [sys.executable, str(LOAD / "run.py"), "smoke", "--with", tool, "--workers", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    output = run.stdout + run.stderr
    summary = re.search(r"(\d+) jobs: (\d+) completed, (\d+) cancelled, 0 failed", output)
    assert summary, output
    total, completed, cancelled = map(int, summary.groups())
    assert total == completed + cancelled
    assert completed > 0
    assert "HTTP " not in output


class LettingIn(BaseHTTPRequestHandler):
    """A project where one can sign in, and nothing else works."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"access_token": "token"}).encode()
        self.send_response(200 if self.path.startswith("/auth/") else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def broken_project() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), LettingIn) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_limit_that_is_not_kept_is_told_by_the_exit_code(tool: str, broken_project: str) -> None:
    command, exit_code = GIVEN_UP[tool]
    environment = {"SUPABASE_URL": broken_project, "SUPABASE_ANON_KEY": "key", "LOCUST_HOST": broken_project}
    run = subprocess.run(
        [str(BIN / tool), *command],
        env=os.environ | environment | {"LOAD_SHAPE": "smoke", "LOAD_STRETCH": "0.3", "K6_NO_USAGE_REPORT": "true"},
        cwd=LOAD,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == exit_code, run.stdout + run.stderr
    assert SAID[tool] in run.stdout + run.stderr
