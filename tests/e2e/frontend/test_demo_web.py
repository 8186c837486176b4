"""`analysis-worker demo --web`: pages, stack and worker with one command, and nothing left of them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from supabase_local.temporary import free_port
from tests.databases import ROOT
from tests.processes import Playground

READY_S = 120.0


@pytest.fixture
def playground() -> Iterator[Playground]:
    with tempfile.TemporaryDirectory(prefix="analysis-demo-") as directory:
        Path(directory).chmod(0o755)
        yield Playground(Path(directory))


@pytest.mark.timeout(300)
def test_the_pages_are_served_with_the_address_of_the_stack_until_ctrl_c(
    packages: None, playground: Playground
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with playground.started("demo", "--web", "--no-open-browser", "--port", str(port), PYTHONPATH=str(ROOT)) as process:
        config = wait_for_config(address)
        assert "<html" in httpx.get(address, trust_env=False).text
        health = httpx.get(f"{config['url']}/auth/v1/health", headers={"apikey": config["key"]}, trust_env=False)
        assert health.status_code == 200
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate(timeout=60)
        assert process.returncode == 0, output
        assert "Traceback" not in output[1]
    assert playground.wait_until_empty() == ([], [])


def wait_for_config(address: str) -> dict[str, str]:
    give_up_at = time.monotonic() + READY_S
    while True:
        try:
            answer: dict[str, str] = httpx.get(f"{address}/config.json", trust_env=False).json()
        except httpx.TransportError:
            assert time.monotonic() < give_up_at, "no pages in time"
            time.sleep(0.2)
        else:
            return answer
