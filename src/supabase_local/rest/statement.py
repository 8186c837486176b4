"""SQL under construction: text with numbered places, and the values that go there. Values never become text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from supabase_local.rest.schema_cache import SCHEMA

VERSION = "14.17"  # of the PostgREST whose recorded answers this layer is held to
Isolation = Literal["read committed", "repeatable read", "serializable"]


@dataclass(slots=True)
class Values:
    """Hands out `$1`, `$2` ... in the order in which values are bound."""

    bound: list[object] = field(default_factory=list)

    def bind(self, value: object) -> str:
        self.bound.append(value)
        return f"${len(self.bound)}"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One statement and what must hold around it. `settings` are set for the transaction only, in this order.

    The statement gives one row with the columns of `Outcome`.
    """

    sql: str
    values: list[object]
    read_only: bool
    settings: dict[str, str]
    isolation: Isolation = "read committed"

    @property
    def begin(self) -> str:
        return f"begin isolation level {self.isolation} {'read only' if self.read_only else 'read write'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`total`: rows without limits, where asked for. `count`: rows in `body`. `inserted`: rows an upsert made new.

    `status` and `headers` are what the database itself asked for through `response.status` and `response.headers`.
    """

    total: int | None
    count: int
    body: str
    inserted: int | None
    location: str | None
    headers: str | None
    status: str | None


GUCS = """nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '')"""


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text as an SQL string, for the few places where a parameter cannot stand, such as a key of a JSON path."""
    escaped = text.replace("'", "''").replace("\\", "\\\\")
    return f"E'{escaped}'" if "\\" in text else f"'{escaped}'"


def qualified(name: str) -> str:
    return f"{quote(SCHEMA)}.{quote(name)}"


def array_literal(items: Iterable[str]) -> str:
    """Texts as one PostgreSQL array, for a parameter whose element type the server is to infer."""
    quoted = ('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items)
    return "{" + ",".join(quoted) + "}"
