"""What a channel asks to hear of: the `postgres_changes` entries of a join, checked as far as text alone allows."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

OPERATORS = {
    "eq": "=",
    "neq": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "in": "= any",
    "like": "like",
    "ilike": "ilike",
    "match": "~",
    "imatch": "~*",
    "isdistinct": "is distinct from",
    "is": "is",
}
_IS = ("null", "true", "false", "unknown")
ChangeType = Literal["INSERT", "UPDATE", "DELETE"]
_CHANGE_TYPES = ("INSERT", "UPDATE", "DELETE")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^()]*\))")


class BindingError(Exception):
    """A binding that the server refuses; the text is the one that the real server sends."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Of `is` the value is an SQL keyword, known to be one."""

    column: str
    operator: str
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """`event` stays as asked, for messages; anything that is no type of change means all, as on the real server.

    `select` names the columns that are told besides the primary key, None for all.
    """

    id: int
    event: str
    schema: str
    table: str
    filters: tuple[Filter, ...]
    select: tuple[str, ...] | None

    def wants(self, change_type: ChangeType) -> bool:
        return self.event not in _CHANGE_TYPES or self.event == change_type

    def covers(self, schema: str, table: str) -> bool:
        return self.schema in {"*", schema} and self.table in {"*", table}

    def __str__(self) -> str:
        filters = ", ".join(
            f'{{"{f.column}", "{f.operator}", "{f.value}", {str(f.negated).lower()}}}' for f in self.filters
        )
        select = "nil" if self.select is None else json.dumps(self.select)
        where = f"event: {self.event}, schema: {self.schema}, table: {self.table}"
        return f"[{where}, filters: [{filters}], select: {select}]"


def requested(topic: str, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of a join. Without `config` the topic names the table: `realtime:<schema>[:<table>[:<filter>]]`."""
    if (config := payload.get("config")) is None:
        names = topic.removeprefix("realtime:").split(":", 2)
        return [dict(zip(("schema", "table", "filter"), names, strict=False))]
    entries = config.get("postgres_changes") if isinstance(config, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def binding_id(entry: Mapping[str, Any]) -> int:
    """The same for the same entry, on every server."""
    return zlib.crc32(json.dumps(entry, sort_keys=True).encode()) & 0x7FFFFFF


def parse(entry: Mapping[str, Any]) -> Binding:
    schema, table, wanted = entry.get("schema"), entry.get("table"), entry.get("filter")
    if not isinstance(schema, str) and not isinstance(table, str):
        asked = ", ".join(f"{json.dumps(key)} => {json.dumps(value)}" for key, value in sorted(entry.items()))
        needed = "Please provide at least a `schema` or `table` to subscribe to"
        raise BindingError(f"No subscription params provided. {needed}: %{{{asked}}}")
    return Binding(
        binding_id(entry),
        str(entry.get("event", "*")),
        schema if isinstance(schema, str) else "public",
        table if isinstance(table, str) else "*",
        parse_filters(wanted) if isinstance(wanted, str) and wanted else (),
        tuple(map(str, select)) if isinstance(select := entry.get("select"), list) else None,
    )


def parse_filters(text: str) -> tuple[Filter, ...]:
    """`column=[not.]operator.value`, several joined by commas; a value of `in` is a parenthesised list."""
    return tuple(_parse_filter(part) for part in _COMMA_OUTSIDE_PARENTHESES.split(text))


def _parse_filter(text: str) -> Filter:
    column, _, condition = text.partition("=")
    operator, _, value = condition.removeprefix("not.").partition(".")
    if operator not in OPERATORS or not value or (operator == "is" and value not in _IS):
        raise BindingError(f"Error parsing `filter` params: {json.dumps(condition.split('.', 1))}")
    if operator == "in":
        value = "{" + value.removeprefix("(").removesuffix(")") + "}"
    return Filter(column, operator, value, condition.startswith("not."))
