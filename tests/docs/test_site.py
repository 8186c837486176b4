"""The site builds without a warning, loads nothing from elsewhere, and its reference has everything in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

import analysis_worker
from analysis_worker.cli.doctor_expected import read_expected
from docs._reference.commands import commands
from docs._reference.settings import variables_of
from tests.databases import MIGRATIONS, ROOT

BUILD_S = 120
# What a browser fetches by itself; links to elsewhere are no part of it.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)[^>]*\ssrc=\"?([^\"\s>]+)|<link[^>]*\shref=\"?([^\"\s>]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "WARNING" not in said, said
    return directory


def page(site: Path, name: str) -> str:
    return (site / name / "index.html").read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    return set(re.findall(r"<h[2-6] id=\"?([^\"\s>]+)", text))


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = {
        address
        for file in site.rglob("*.html")
        for match in FETCHED.findall(file.read_text(encoding="utf-8"))
        for address in match
    }
    assert fetched
    assert [address for address in fetched if address.startswith(("http:", "https:", "//"))] == []


def test_every_function_and_table_is_in_the_reference(site: Path) -> None:
    expected = read_expected(MIGRATIONS)
    functions = {name.removeprefix("public.") for name in expected.functions if name.startswith("public.")}
    assert functions
    assert functions <= anchors(page(site, "reference/sql"))
    assert expected.tables.keys() <= anchors(page(site, "reference/tables"))


def test_every_command_is_in_the_reference(site: Path) -> None:
    assert {"-".join(path) for path, _ in commands()} <= anchors(page(site, "reference/commands"))


def all_settings() -> list[type[BaseSettings]]:
    """Of every module of our packages that is called settings."""
    for module in (ROOT / "src").rglob("settings.py"):
        import_module(f"{module.parent.relative_to(ROOT / 'src').as_posix().replace('/', '.')}.settings")
    ours = ("analysis_worker.", "maxnutrition.", "supabase_local.")
    return [settings for settings in BaseSettings.__subclasses__() if settings.__module__.startswith(ours)]


@pytest.mark.parametrize("settings", all_settings(), ids=lambda settings: settings.__name__)
def test_every_setting_is_in_the_reference_and_says_what_it_is_for(settings: type[BaseSettings], site: Path) -> None:
    text = page(site, "reference/configuration")
    for name, field in settings.model_fields.items():
        assert field.description, name
        assert all(f">{variable}</code>" in text for variable in variables_of(settings, name)), name


def test_every_edge_function_and_job_type_is_in_the_reference(site: Path) -> None:
    functions = ROOT / "supabase" / "functions"
    names = {handler.parent.name for handler in functions.glob("*/handler.ts")}
    names |= {contract.stem for contract in (functions / "_shared" / "contracts").glob("*.json")}
    assert names
    assert names <= anchors(page(site, "reference/http"))


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    told = anchors(page(site, "reference/python"))
    assert {f"analysis_worker.{name}" for name in analysis_worker.__all__} <= told
