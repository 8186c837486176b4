"""The command line takes in what plugins bring, and no plugin can break what is not its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analysis_worker.cli.commands import build

MODULE = """
import typer

def greet(name: str) -> None:
    "Greet somebody."
    typer.echo(f"hello {name}")

app = typer.Typer(help="Many at once.")

@app.command()
def first() -> None:
    typer.echo("the first")

@app.command()
def second() -> None:
    typer.echo("the second")
"""
BROKEN = {
    "absent": ("no_such_package:run", "ModuleNotFoundError"),
    "nameless": ("working_plugin:nothing", "AttributeError"),
    "explosive": ("exploding_plugin:run", "ZeroDivisionError"),
}


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution with two plugins that work, three that do not, and one that takes a name of ours."""
    (tmp_path / "working_plugin.py").write_text(MODULE)
    (tmp_path / "exploding_plugin.py").write_text("1 / 0")
    metadata = tmp_path / "plugins-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins\nVersion: 1.0\n")
    broken = "".join(f"{name} = {value}\n" for name, (value, _) in BROKEN.items())
    (metadata / "entry_points.txt").write_text(
        "[analysis_worker.commands]\ngreet = working_plugin:greet\nmany = working_plugin:app\n"
        f"flags = working_plugin:greet\n{broken}"
    )
    monkeypatch.syspath_prepend(tmp_path)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(build(), arguments, env={"COLUMNS": "200"}, catch_exceptions=False)


@pytest.mark.usefixtures("plugins")
def test_a_function_and_an_app_are_commands_alike() -> None:
    assert invoke("greet", "you").stdout == "hello you\n"
    assert invoke("many", "second").stdout == "the second\n"


@pytest.mark.usefixtures("plugins")
def test_help_lists_every_plugin_and_says_which_are_broken() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    lines = {line.split()[1]: line for line in result.stdout.splitlines() if line.startswith("│ ")}
    assert "Greet somebody." in lines["greet"]
    assert "Many at once." in lines["many"]
    for name, (_, error) in BROKEN.items():
        assert "Broken: " in lines[name]
        assert error in lines[name]


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("arguments", [(), ("--help",), ("--json", "x")])
def test_a_broken_plugin_says_why_when_it_is_called(name: str, arguments: tuple[str, ...]) -> None:
    result = invoke(name, *arguments)
    value, error = BROKEN[name]
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {value} cannot be loaded: {error}: ")


@pytest.mark.usefixtures("plugins")
def test_a_plugin_cannot_take_the_place_of_our_commands() -> None:
    assert "hello" not in invoke("flags", "--help").stdout
    assert "Show every flag" in invoke("flags", "--help").stdout


def test_an_unknown_command_is_told_apart() -> None:
    result = invoke("nonsense")
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_a_command_imports_neither_the_others_nor_plugins() -> None:
    program = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from analysis_worker.cli.commands import build\n"
        "assert CliRunner().invoke(build(), ['local', '--help']).exit_code == 0\n"
        "imported = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(imported & {'maxnutrition', 'realtime', 'supabase', 'httpx'}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "[]\n"
