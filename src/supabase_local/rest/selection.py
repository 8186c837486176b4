"""What of each row is answered, in which order, and which rows: `select`, `order`, `limit`, `offset`, `Range`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from supabase_local.rest.columns import ColumnPath, scan_column
from supabase_local.rest.errors import RestError
from supabase_local.rest.request import Request
from supabase_local.rest.scanner import Scanner
from supabase_local.rest.schema_cache import SCHEMA
from supabase_local.rest.statement import quote

MAX_ROWS = 1000
_CAST = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*(\[\])*")
_WHOLE_NUMBER = re.compile(r"-?\d{1,18}")
_RANGE = re.compile(r"(?:items=)?(\d{1,18})-(\d{0,18})")
_AGGREGATE = re.compile(r"(count|sum|avg|min|max)\(\)")
_ALIAS = re.compile(r'("(?:[^"\\]|\\.)*"|[^-.,:()"]+):(?!:)')
_DIRECTIONS = {"asc": " asc", "desc": " desc"}
_NULLS = {"nullsfirst": " nulls first", "nullslast": " nulls last"}


@dataclass(frozen=True, slots=True)
class Selected:
    """One item of `select`."""

    column: ColumnPath
    label: str
    cast: str | None

    @property
    def is_star(self) -> bool:
        return self.column.name == "*"

    def sql(self, source: str) -> str:
        if self.is_star:
            return f"{quote(source)}.*"
        value = self.column.sql(source)
        return f"{f'cast({value} as {self.cast})' if self.cast else value} as {quote(self.label)}"


@dataclass(frozen=True, slots=True)
class Ordered:
    """One term of `order`; `direction` is SQL."""

    column: ColumnPath
    direction: str


@dataclass(frozen=True, slots=True)
class Range:
    """Rows from `offset` on, `limit` at most; the latter is never above MAX_ROWS."""

    offset: int
    limit: int


def read_select(text: str | None, table: str) -> tuple[Selected, ...]:
    """`table` is for the error that embedding another table gives: there is no embedding here."""
    scanner = Scanner("select parameter", text or "*")
    items = [_scan_item(scanner, table)]
    while scanner.take(","):
        items.append(_scan_item(scanner, table))
    if not scanner.at_end:
        scanner.fail('"," or end of input')
    return tuple(items)


def scan_names(scanner: Scanner) -> list[str]:
    """Column names with commas between them."""
    names = [scan_column(scanner).name]
    while scanner.take(","):
        names.append(scan_column(scanner).name)
    if not scanner.at_end:
        scanner.fail('"," or end of input')
    return names


def read_order(text: str | None) -> tuple[Ordered, ...]:
    if not text:
        return ()
    scanner = Scanner("order", text)
    terms = [_scan_order_term(scanner)]
    while scanner.take(","):
        terms.append(_scan_order_term(scanner))
    if not scanner.at_end:
        scanner.fail('"," or end of input')
    return tuple(terms)


def order_by(terms: Iterable[Ordered], source: str) -> str:
    joined = ", ".join(f"{term.column.sql(source)}{term.direction}" for term in terms)
    return f" order by {joined}" if joined else ""


def read_range(request: Request) -> Range:
    """`limit` and `offset` win over the `Range` header, which counts for reads only."""
    offset, limit = _number(request.parameter("offset")), _number(request.parameter("limit"))
    if limit is not None and limit < 0:
        raise _unsatisfiable("Limit should be greater than or equal to zero.")
    header = request.raw.headers.get("range", "") if request.is_read else ""
    if offset is None and limit is None and (match := _RANGE.fullmatch(header)) is not None:
        offset = int(match[1])
        limit = int(match[2]) - offset + 1 if match[2] else None
        if limit is not None and limit < 1:
            raise _unsatisfiable(
                "The lower boundary must be lower than or equal to the upper boundary in the Range header."
            )
    return Range(max(offset or 0, 0), MAX_ROWS if limit is None else min(limit, MAX_ROWS))


def _unsatisfiable(details: str) -> RestError:
    return RestError(416, "PGRST103", "Requested range not satisfiable", details)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _WHOLE_NUMBER.fullmatch(text) else None


def _scan_item(scanner: Scanner, table: str) -> Selected:
    scanner.match(re.compile(r" +"))
    if scanner.take("*"):
        return Selected(ColumnPath("*"), "*", None)
    alias = scanner.match(_ALIAS)
    if scanner.match(_AGGREGATE):
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    column = scan_column(scanner)
    if scanner.take(".") and scanner.match(_AGGREGATE):
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    if scanner.peek("(") or scanner.peek("!"):
        raise _no_relationship(table, column.name)
    cast = None
    if scanner.take("::") and (cast := scanner.match(_CAST)) is None:
        scanner.fail("letter")
    label = alias[:-1].strip().strip('"') if alias else column.label
    return Selected(column, label, cast)


def _no_relationship(table: str, other: str) -> RestError:
    return RestError(
        400,
        "PGRST200",
        f"Could not find a relationship between '{table}' and '{other}' in the schema cache",
        f"Searched for a foreign key relationship between '{table}' and '{other}' in the schema '{SCHEMA}', "
        "but no matches were found.",
    )


def _scan_order_term(scanner: Scanner) -> Ordered:
    column = scan_column(scanner)
    direction = ""
    words = scanner.match(re.compile(r"(\.\w+)*")) or ""
    for word in filter(None, words.split(".")):
        if word not in _DIRECTIONS | _NULLS:
            scanner.position -= len(word)
            scanner.fail('"asc", "desc", "nullsfirst" or "nullslast"')
        direction += (_DIRECTIONS | _NULLS)[word]
    return Ordered(column, direction)
