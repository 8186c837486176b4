"""Code that pages show does what they say: Python is checked and run, SQL runs, JSON is JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.databases import ROOT, Databases
from tests.docs.pages import Block, blocks_of, name_of, pages, pages_with

PYTHON_S = 60
SQL = [block for page in pages() for block in blocks_of(page, "sql")]
JSON = [block for page in pages() for block in blocks_of(page, "json")]


def write_modules(page: Path, directory: Path) -> list[Path]:
    """A page's Python as files: blocks go into the file that their title names, those without one into one together."""
    files: dict[str, str] = {}
    for block in blocks_of(page, "python"):
        name = block.title if block.title.endswith(".py") else f"shown_in_{page.stem.lower()}.py"
        files[name] = files.get(name, "") + block.text
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in files]


def run_python(*arguments: str, cwd: Path) -> str:
    """Standard output; whatever else went wrong fails the test with all that was said."""
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PYTHON_S, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_python_of_a_page_runs_and_its_tests_pass(page: Path, tmp_path: Path) -> None:
    names = [file.stem for file in write_modules(page, tmp_path)]
    modules = [name for name in names if not name.startswith("test_")]
    run_python("-W", "error", "-c", f"import {', '.join(modules)}", cwd=tmp_path)
    if modules != names:
        summary = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", ".", cwd=tmp_path)
        assert "passed" in summary


def test_python_of_all_pages_fits_its_types(tmp_path: Path) -> None:
    files = [str(file) for page in pages_with("python") for file in write_modules(page, tmp_path)]
    assert len(set(files)) == len(files), "two pages name the same file"
    arguments = ("--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"))
    run_python("-m", "mypy", *arguments, *files, cwd=tmp_path)


@pytest.mark.parametrize("block", SQL, ids=lambda block: block.place)
def test_sql_runs_on_the_migrated_database(block: Block, databases: Databases) -> None:
    with psycopg.connect(databases.url("migrated")) as connection:
        connection.execute(block.text.encode())
        connection.rollback()


@pytest.mark.parametrize("block", JSON, ids=lambda block: block.place)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)
