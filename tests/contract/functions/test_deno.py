"""The functions' own checks: types, lint, format and unit tests, with Deno and without any network but this machine."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from supabase_local.functions.process import find_deno
from tests.databases import ROOT

FUNCTIONS = ROOT / "supabase" / "functions"
NAMES = sorted(path.parent.name for path in FUNCTIONS.glob("*/index.ts"))
NOTHING_FROM_ELSEWHERE = ("--no-remote", "--no-npm")


@pytest.fixture(scope="session")
def deno_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deno")


def deno(deno_dir: Path, *arguments: str) -> None:
    environment = {"DENO_DIR": str(deno_dir), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    result = subprocess.run(
        [str(find_deno()), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def sources(*patterns: str) -> list[str]:
    """What is written by hand; the rest is exported by the worker."""
    return sorted(str(path) for pattern in patterns for path in FUNCTIONS.rglob(pattern))


def test_every_function_of_the_gateway_is_there() -> None:
    assert NAMES == [
        "analyze-sync",
        "cancel-analysis",
        "enqueue-analysis",
        "get-analysis-status",
        "whatsapp-webhook",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_function_has_the_types_it_says_with_its_own_config(deno_dir: Path, name: str) -> None:
    directory = FUNCTIONS / name
    options = json.loads((directory / "deno.json").read_text())["compilerOptions"]

    deno(
        deno_dir,
        "check",
        *NOTHING_FROM_ELSEWHERE,
        "--config",
        str(directory / "deno.json"),
        str(directory / "index.ts"),
    )

    assert options["strict"] is True


def test_the_functions_are_written_alike(deno_dir: Path) -> None:
    deno(deno_dir, "fmt", "--check", "--no-config", "--line-width", "120", *sources("*.ts", "deno.json"))


def test_the_functions_have_no_lint(deno_dir: Path) -> None:
    deno(deno_dir, "lint", "--no-config", *sources("*.ts"))


def test_the_functions_do_what_their_tests_say(deno_dir: Path) -> None:
    tests = FUNCTIONS / "tests"
    permissions = ("--allow-net=127.0.0.1", f"--allow-read={ROOT / 'supabase'},{ROOT / 'tests' / 'contract'}")
    deno(
        deno_dir,
        "test",
        *NOTHING_FROM_ELSEWHERE,
        "--no-prompt",
        *permissions,
        "--config",
        f"{tests}/deno.json",
        str(tests),
    )


def test_the_platform_leaves_the_check_of_callers_to_every_function_and_takes_its_files_along() -> None:
    config = tomllib.loads((FUNCTIONS.parent / "config.toml").read_text())["functions"]
    patterns = config["analyze-sync"]["static_files"]
    taken = {path.name for pattern in patterns for path in FUNCTIONS.parent.glob(pattern)}

    assert {name: options["verify_jwt"] for name, options in config.items()} == dict.fromkeys(NAMES, False)
    assert taken >= {path.name for path in (FUNCTIONS / "_shared").rglob("*.json")}


def test_only_one_module_reads_the_environment() -> None:
    readers = {path.name for path in map(Path, sources("*.ts")) if "Deno.env" in path.read_text()}

    assert readers == {"env.ts"}
