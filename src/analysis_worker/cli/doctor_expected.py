"""What the engine's migrations leave behind, read from their text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis_worker.migrations import engine_migrations

_FUNCTION = re.compile(
    r"^(?:create(?: or replace)? function (?P<made>(?:public|private)\.\w+)\(.*?\nas \$\$(?P<body>.*?)\$\$;"
    r"|drop function (?:if exists )?(?P<dropped>(?:public|private)\.\w+))",
    re.DOTALL | re.MULTILINE,
)
_TABLE = re.compile(r"^create table public\.(analysis_\w+)", re.MULTILINE)
_TRIGGER = re.compile(
    r"^(?P<verb>create|drop) trigger (?:if exists )?(?P<name>\w+)\s[^;]*?\bon public\.(?P<table>analysis_\w+)",
    re.MULTILINE,
)
_GRANT = re.compile(r"^grant execute on function\s(?P<functions>[^;]*?)\sto (?P<roles>[^;]*);", re.MULTILINE)
_PUBLIC = re.compile(r"public\.(\w+)\(")


@dataclass(frozen=True, slots=True)
class Expected:
    """Versions; the SHA-256 of each function's body by schema.name; tables, each with its triggers; the functions in
    public that service_role may call."""

    migrations: Sequence[str]
    functions: Mapping[str, str]
    tables: Mapping[str, frozenset[str]]
    callable: frozenset[str]


def read_expected(directory: Path) -> Expected:
    files = engine_migrations(directory)
    functions: dict[str, str] = {}
    tables: dict[str, frozenset[str]] = {}
    granted: set[str] = set()
    for file in files:
        text = file.read_text()
        for match in _FUNCTION.finditer(text):
            if match["dropped"]:
                functions.pop(match["dropped"], None)
            else:
                functions[match["made"]] = hashlib.sha256(match["body"].encode()).hexdigest()
        tables |= dict.fromkeys(_TABLE.findall(text), frozenset())
        for match in _TRIGGER.finditer(text):
            others = tables.get(match["table"], frozenset()) - {match["name"]}
            tables[match["table"]] = others | ({match["name"]} if match["verb"] == "create" else set())
        for match in _GRANT.finditer(text):
            granted.update(_PUBLIC.findall(match["functions"]) if "service_role" in match["roles"] else ())
    existing = frozenset(name for name in granted if f"public.{name}" in functions)
    return Expected([file.name.partition("_")[0] for file in files], functions, tables, existing)
