"""Decoded changes with their values as JSON text, ready to be told to anybody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from psycopg import AsyncConnection

from supabase_local.realtime.bindings import ChangeType, Filter
from supabase_local.realtime.pgoutput import Change, Delete, Insert, Relation, Row, Update
from supabase_local.realtime.replication import Transaction
from supabase_local.realtime.rows import JsonRow, Table, Values, to_json

Committed = tuple[Change, Transaction]
_MAX_CHANGE_BYTES = 1024 * 1024
_COLUMN_OVERHEAD_BYTES = 52  # keys, type and type id around each value in the real server's WAL format


@dataclass(frozen=True, slots=True)
class RowChange:
    """`record` is None for a delete, `old` for an insert; an update that keeps its identity has that as `old`.

    `key` (the primary key as text) and `passed` (the filters) are those of the record, or of the old row of a delete.
    """

    type: ChangeType
    record: Values | None
    old: Values | None
    key: tuple[str, ...]
    passed: frozenset[Filter]
    too_large: bool
    committed_at: datetime


async def convert(
    connection: AsyncConnection, table: Table, relation: Relation, batch: Sequence[Committed], filters: Sequence[Filter]
) -> list[RowChange]:
    """The batch's changes in order, with one query for all their rows."""
    split = [_split(change) for change, _ in batch]
    rows = [row for _, subject, before in split for row in (subject, before) if row is not None]
    converted = iter(await to_json(connection, table, relation, rows, filters))
    changes = []
    for (kind, subject, before), (_, transaction) in zip(split, batch, strict=True):
        subject_json = next(converted)
        before_json = subject_json if before is None else next(converted)
        changes.append(
            RowChange(
                kind,
                subject_json.values if kind != "DELETE" else None,
                _identity(relation, before_json) if kind != "INSERT" else None,
                _key(table, relation, subject),
                subject_json.passed,
                _is_too_large((*subject, *(before or ()))),
                transaction.committed_at,
            )
        )
    return changes


def _split(change: Change) -> tuple[ChangeType, Row, Row | None]:
    """Type, the row that the change is about, and the row before it where the stream has one of its own."""
    match change:
        case Insert(_, new):
            return "INSERT", new, None
        case Update(_, old, new):
            return "UPDATE", new, old
        case Delete(_, old):
            return "DELETE", old, None
        case _:
            assert_never(change)


def _identity(relation: Relation, row: JsonRow) -> Values:
    names = (column.name for column in relation.columns if column.in_identity)
    return {name: row.values[name] for name in names if name in row.values}


def _key(table: Table, relation: Relation, row: Row) -> tuple[str, ...]:
    cells = {column.name: cell for column, cell in zip(relation.columns, row, strict=True)}
    key = (cells.get(column.name) for column in table.key)
    return tuple(cell for cell in key if isinstance(cell, str))


def _is_too_large(cells: Row) -> bool:
    """Whether the change passes 1 MiB in the real server's WAL format (wal2json), which quotes every text value.

    The overhead per column is a mean, so the border is exact to some hundred bytes.
    """
    texts = [cell for cell in cells if isinstance(cell, str)]
    if sum(map(len, texts)) < _MAX_CHANGE_BYTES // 8:  # no quoting makes more of a character
        return False
    size = sum(len(json.dumps(text, ensure_ascii=False).encode()) + _COLUMN_OVERHEAD_BYTES for text in texts)
    return size > _MAX_CHANGE_BYTES
