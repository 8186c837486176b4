"""The quickstart, typed in as it stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, Block, blocks_of
from tests.docs.test_code import write_modules

PAGE = DOCS / "quickstart.md"
BLOCK_S = 90
STOP_S = 40
PASSED_ON = "declare -p API_URL SECRET_KEY DB_URL 2>/dev/null | sed 's/^declare --/export/' > .variables"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine with the package installed, and no project or model in its environment."""
    ours = ("SUPABASE_", "ANALYSIS_WORKER_", "MAXNUTRITION_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "PYTHONPATH": str(tmp_path)}


@contextmanager
def in_another_terminal(block: Block, directory: Path, environment: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(["bash", "-c", f"exec {block.text}"], cwd=directory, env=environment) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_S)
    assert process.returncode == 0


def test_the_quickstart_does_what_it_says(tmp_path: Path, environment: dict[str, str]) -> None:
    def type_in(block: Block) -> subprocess.CompletedProcess[str]:
        script = f"[ ! -f .variables ] || . ./.variables\nset -euo pipefail\n{block.text}\n{PASSED_ON}"
        return subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=BLOCK_S,
            check=False,
        )  # fmt: skip

    write_modules(PAGE, tmp_path)
    blocks = [block for block in blocks_of(PAGE, "sh") if block.title != "once"]
    worker = next(number for number, block in enumerate(blocks) if block.title == "second terminal")
    *jobs, stop = blocks[worker + 1 :]
    try:
        for block in blocks[:worker]:
            succeed(type_in, block)
        with in_another_terminal(blocks[worker], tmp_path, environment):
            said = [type_in(block) if block.title == "fails" else succeed(type_in, block) for block in jobs]
    finally:
        succeed(type_in, stop)
    completed, failed, listed = said
    answer = json.loads(completed.stdout)
    assert (answer["status"], answer["result"]) == ("completed", {"count": 3, "most_common": "arroz"})
    assert (failed.returncode, "no_words: There is nothing to count." in failed.stdout) == (1, True)
    assert listed.stdout.count("count_words") >= 2


def succeed(
    type_in: Callable[[Block], subprocess.CompletedProcess[str]], block: Block
) -> subprocess.CompletedProcess[str]:
    result = type_in(block)
    assert result.returncode == 0, f"{block.place}: {result.stdout}{result.stderr}"
    return result
