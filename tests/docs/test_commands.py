"""Every command that a page shows is one: its words, its options and their values."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from docs._reference.commands import PROGRAM, commands
from tests.docs.pages import DOCS, blocks_of, code_in_lines, pages

COMMANDS = dict(commands())
SHELLS = ("sh", "bash", "console")
ASSIGNMENT = re.compile(r"^\w+=")
# What pages write for what their reader knows.
PLACEHOLDERS = {"ID": "2b4e5a52-6bfb-4b8e-9d38-0d6ad3a1c001", "$JOB": "2b4e5a52-6bfb-4b8e-9d38-0d6ad3a1c001"}
BEFORE_IT = {"uv", "run", "python3", "-m", "exec", "--no-sync"}
ENDS = {"|", "||", "&&", ";", "&", "(", ")", ">", "<", ">>"}


def calls_in(line: str) -> Iterator[list[str]]:
    """The arguments of each call of the program in a line of a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    call: list[str] = []
    for word in [*lexer, ";"]:
        if word not in ENDS:
            call.append(PLACEHOLDERS.get(word, word))
            continue
        while call and (ASSIGNMENT.match(call[0]) or call[0] in BEFORE_IT):
            call.pop(0)
        if call and call[0] == PROGRAM:
            yield call[1:]
        call = []


def shown() -> list[tuple[str, list[str]]]:
    """Place and arguments. A command without any, within a line, is only named there."""
    found = []
    for page in pages():
        for block in blocks_of(page, *SHELLS):
            lines = block.text.replace("\\\n", " ").splitlines()
            found += [(block.place, call) for line in lines if PROGRAM in line for call in calls_in(line)]
        for place, code in code_in_lines(page):
            if code.startswith(f"{PROGRAM} "):
                found += [(place, [*call, "--help"] if tuple(call) in COMMANDS else call) for call in calls_in(code)]
    return found


def find(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and what is left for it."""
    for words in (2, 1):
        if command := COMMANDS.get(tuple(arguments[:words])):
            return command, arguments[words:]
    groups = {path[0] for path in COMMANDS}
    assert arguments[0] in groups, f"no such command: {' '.join(arguments)}"
    return None, []


@pytest.mark.parametrize(("place", "arguments"), shown(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_command_in_a_page_is_one(place: str, arguments: list[str]) -> None:
    command, rest = find(arguments)
    if command is None or "--help" in rest:
        return
    try:
        command.make_context(arguments[0], rest).close()
    except Exception as error:
        error.add_note(f"{place}: {PROGRAM} {' '.join(arguments)}")
        raise


@pytest.mark.parametrize(
    "line", ["analysis-worker no-such-command", "analysis-worker jobs --no-such-option", "analysis-worker job no-id"]
)
def test_what_is_no_command_is_noticed(line: str) -> None:
    (arguments,) = calls_in(line)
    with pytest.raises((AssertionError, typer.TyperException)):
        test_a_command_in_a_page_is_one("here", arguments)


def test_the_table_of_commands_names_commands_and_their_options() -> None:
    text = (DOCS / "monitoring.md").read_text(encoding="utf-8").partition("## Commands")[2]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    calls = [call.split() for cell in cells for call in re.findall(r"`([^`]+)`", cell)]
    assert calls
    for name, *rest in calls:
        command, _ = find([name])
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(re.findall(r"--[a-z-]+", " ".join(rest))) <= options, name
