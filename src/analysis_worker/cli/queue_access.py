"""What the operators' commands work with: the queue's functions, its tables, and a way to show rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typer
from rich.console import Console
from rich.table import Table

from analysis_worker.adapters.operators import Operations
from analysis_worker.adapters.records import Records, open_records
from analysis_worker.cli.operator import operations
from analysis_worker.settings import Settings

_PIPED_WIDTH = 240
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Access:
    operations: Operations
    records: Records


@contextmanager
def access() -> Iterator[Access]:
    """The project of SUPABASE_URL; errors end the program as they do in `operations`."""
    with operations() as opened:
        settings = Settings()
        with open_records(settings.supabase_url, settings.current_key) as records:
            yield Access(opened, records)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns whose name ends in a space hold numbers."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPED_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.strip(), justify="right" if column.endswith(" ") else "left", no_wrap=True)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table, highlight=False)


def seconds(value: float | None) -> str:
    """For people: 0.4 s, 25 s, 3 min, 2 h, 5 d; nothing for nothing."""
    if value is None:
        return ""
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if value < limit:
            return f"{value / size:.1f} {unit}" if value / size < 10 else f"{value / size:.0f} {unit}"
    return f"{value / 86400:.0f} d"


def parse_since(text: str | None, now: datetime) -> str | None:
    """An ISO time or how long ago, like 90s, 30m, 2h, 7d; as PostgreSQL reads it. A time without a zone is UTC."""
    if text is None:
        return None
    if match := re.fullmatch(r"([0-9]{1,6})([smhd])", text):
        return (now - timedelta(**{_UNITS[match[2]]: int(match[1])})).isoformat()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither a time nor a time ago like 2h") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
