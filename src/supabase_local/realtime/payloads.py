"""The `data` of a postgres_changes frame, as JSON text. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from supabase_local.realtime.bindings import ChangeType
from supabase_local.realtime.changes import RowChange
from supabase_local.realtime.protocol import compact
from supabase_local.realtime.rows import Table, TableColumn, Values

TOO_LARGE = "Error 413: Payload Too Large"
UNAUTHORIZED = "Error 401: Unauthorized"
NO_KEY = "Error 400: Bad Request, no primary key"
_NOTHING: dict[str, object] = {}
_MAX_VALUE_BYTES_WHEN_TOO_LARGE = 64


def row_payload(table: Table, change: RowChange, role: str, select: Collection[str] | None) -> str:
    """What `role` may know of the change, of the columns in `select` (None for all) and the key.

    Deletes cannot be checked against row security, so they show the key only.
    """
    asked = [c for c in table.columns if select is None or c.in_key or c.name in select]
    readable = [column for column in asked if role in column.selectable_by]
    fields = {"table": compact(table.name), "type": compact(change.type)}
    if change.record is not None:
        fields["record"] = _row_object(readable, change.record, change.too_large)
    fields["columns"] = json.dumps([{"name": column.name, "type": column.type_name} for column in readable])
    fields["errors"] = compact([TOO_LARGE]) if change.too_large else "null"
    fields["schema"] = compact(table.schema)
    fields["commit_timestamp"] = compact(_timestamp(change.committed_at))
    if change.old is not None:
        shown = [c for c in readable if c.in_key] if change.type == "DELETE" and table.has_rls else readable
        fields["old_record"] = _row_object(shown, change.old, change.too_large)
    return _object(fields)


def error_payload(table: Table, change_type: ChangeType, error: str) -> str:
    old = {} if change_type == "INSERT" else {"old_record": _NOTHING}
    told = {"table": table.name, "type": change_type, "record": _NOTHING, "columns": [], "errors": [error]}
    return compact({**told, "schema": table.schema, "commit_timestamp": None, **old})


def _row_object(columns: Sequence[TableColumn], values: Values, too_large: bool) -> str:
    shown = {column.name: values[column.name] for column in columns if column.name in values}
    if too_large:
        shown = {name: value for name, value in shown.items() if value is not None and _is_short(value)}
    return _object({name: value or "null" for name, value in shown.items()})


def _is_short(value: str) -> bool:
    return len(value.encode()) <= _MAX_VALUE_BYTES_WHEN_TOO_LARGE


def _object(fields: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{compact(name)}:{value}" for name, value in fields.items()) + "}"


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
