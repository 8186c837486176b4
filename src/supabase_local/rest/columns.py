"""A column as a query names it: `name`, or a path into a JSON column such as `meta->address->>city`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from supabase_local.rest.scanner import Scanner
from supabase_local.rest.statement import literal, quote

_NAME = re.compile(r"(?:[^-.,:()\"!>]|-(?!>))+")
_INDEX = re.compile(r"-?\d{1,9}")
_EXPECTED = "field name (* or [a..z0..9_$])"


@dataclass(frozen=True, slots=True)
class ColumnPath:
    """`steps` are pairs of an arrow and a key."""

    name: str
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The name the value bears in the answer where no alias is given."""
        return self.steps[-1][1] if self.steps else self.name

    def sql(self, source: str) -> str:
        column = f"{quote(source)}.{quote(self.name)}"
        if not self.steps:
            return column
        keys = ((arrow, key if _INDEX.fullmatch(key) else literal(key)) for arrow, key in self.steps)
        return f"to_jsonb({column})" + "".join(f"{arrow}{key}" for arrow, key in keys)


def scan_column(scanner: Scanner) -> ColumnPath:
    name = _scan_name(scanner)
    steps = []
    while (arrow := _scan_arrow(scanner)) is not None:
        steps.append((arrow, _scan_name(scanner)))
    return ColumnPath(name, tuple(steps))


def _scan_name(scanner: Scanner) -> str:
    if (quoted := scanner.quoted()) is not None:
        return quoted
    if (index := scanner.match(_INDEX)) is not None and (scanner.at_end or scanner.peek("-")):
        return index
    name = (index or "") + (scanner.match(_NAME) or "")
    if not name.strip():
        scanner.fail(_EXPECTED)
    return name.strip()


def _scan_arrow(scanner: Scanner) -> str | None:
    return next((arrow for arrow in ("->>", "->") if scanner.take(arrow)), None)
