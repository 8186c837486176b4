"""Users of the gateway, by both tools, for seconds: that they work, not how quick this machine is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import ROOT, free_port

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


@pytest.mark.parametrize("tool", TOOLS)
def test_a_limit_that_is_not_kept_is_told_by_the_exit_code(tool: str) -> None:
    """Nobody answers at all."""
    command, exit_code = GIVEN_UP[tool]
    url = f"http://127.0.0.1:{free_port()}"
    environment = {"SUPABASE_URL": url, "SUPABASE_ANON_KEY": "key", "LOCUST_HOST": url, "K6_NO_USAGE_REPORT": "true"}
    run = subprocess.run(
        [str(BIN / tool), *command],
        env=os.environ | environment | {"LOAD_SHAPE": "smoke", "LOAD_STRETCH": "0.3"},
        cwd=LOAD,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == exit_code, run.stdout + run.stderr
