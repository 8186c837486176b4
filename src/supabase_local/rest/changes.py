"""The statements that change a table: insert, upsert, update, delete."""

# ruff: noqa: S608
# Building SQL is what this module is for: names come quoted, values are bound.

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from supabase_local.rest.errors import RestError
from supabase_local.rest.filters import read_filters, where
from supabase_local.rest.payload import Payload, read_csv, read_json
from supabase_local.rest.request import Request
from supabase_local.rest.scanner import Scanner
from supabase_local.rest.schema_cache import Column, Table
from supabase_local.rest.selection import scan_names
from supabase_local.rest.statement import Values, literal, qualified, quote


@dataclass(frozen=True, slots=True)
class Change:
    """`sql` makes the statement from what it is to return for each row it changed."""

    sql: Callable[[str], str]
    merges: bool = False


def insertion(request: Request, table: Table, values: Values) -> Change:
    payload = _read_rows(request)
    columns = _columns(request, table, payload)
    target = _conflict_target(request, table)
    merges = bool(target) and request.preferences.get("resolution") == "merge-duplicates"
    conflict = _conflict_sql(target, columns, merges) if target else ""
    into = f"insert into {qualified(table.name)}"
    if payload.rows == 0:
        return _nothing(table)
    if not columns:
        return Change(lambda returned: f"{into} default values{conflict} returning {returned}", merges)
    names = _names(columns)
    source = _rows_sql(payload, columns, request.preferences.get("missing") == "default", values)
    head = f"{into}({names}) select {names} from {source}{conflict}"
    return Change(lambda returned: f"{head} returning {returned}", merges)


def update(request: Request, table: Table, values: Values) -> Change:
    """Takes no notice of `limit`: every row that the filters let through is changed."""
    payload = read_json(request.raw.body)
    columns = _columns(request, table, payload)
    if not columns:
        return _nothing(table)
    assigned = ", ".join(f"{quote(column.name)} = body.{quote(column.name)}" for column in columns)
    source = f"(select * from {_rows_sql(payload, columns, False, values)} limit 1) as body"
    filters = where(read_filters(request.query), table.name, values)
    head = f"update {qualified(table.name)} set {assigned} from {source}{filters}"
    return Change(lambda returned: f"{head} returning {returned}")


def deletion(request: Request, table: Table, values: Values) -> Change:
    filters = where(read_filters(request.query), table.name, values)
    return Change(lambda returned: f"delete from {qualified(table.name)}{filters} returning {returned}")


def _nothing(table: Table) -> Change:
    return Change(lambda returned: f"select {returned} from {qualified(table.name)} where false")


def _read_rows(request: Request) -> Payload:
    match request.content_type:
        case "application/json":
            return read_json(request.raw.body, keys_may_differ=request.parameter("columns") is not None)
        case "text/csv":
            return read_csv(request.raw.body)
        case kind:
            raise RestError(400, "PGRST102", f"Content-Type not acceptable: {kind}")


def _columns(request: Request, table: Table, payload: Payload) -> list[Column]:
    chosen = request.parameter("columns")
    names = sorted(payload.keys) if chosen is None else scan_names(Scanner("columns parameter", chosen))
    for name in names:
        if name not in table.columns:
            message = f"Could not find the '{name}' column of '{table.name}' in the schema cache"
            raise RestError(400, "PGRST204", message)
    return [table.columns[name] for name in names]


def _conflict_target(request: Request, table: Table) -> list[str]:
    """The columns whose duplicates are resolved; none where a duplicate is an error."""
    if request.preferences.get("resolution") is None:
        return []
    chosen = request.parameter("on_conflict")
    return list(table.primary_key) if chosen is None else scan_names(Scanner("on_conflict parameter", chosen))


def _conflict_sql(target: list[str], columns: list[Column], merges: bool) -> str:
    head = f" on conflict ({', '.join(map(quote, target))}) do"
    if not merges or not columns:
        return f"{head} nothing"
    assigned = ", ".join(f"{quote(column.name)} = excluded.{quote(column.name)}" for column in columns)
    return f"{head} update set {assigned}"


def _rows_sql(payload: Payload, columns: list[Column], fill_defaults: bool, values: Values) -> str:
    """A relation with the payload's rows, in the columns' own types."""
    record = ", ".join(f"{quote(column.name)} {column.type}" for column in columns)
    body = values.bind(payload.array)
    if not fill_defaults:
        return f"json_to_recordset({body}::json) as rows({record})"
    defaults = ", ".join(f"{literal(column.name)}, {column.default}" for column in columns if column.default)
    return (
        f"(select jsonb_build_object({defaults}) || row as row from jsonb_array_elements({body}::jsonb) as given(row))"
        f" as filled cross join lateral jsonb_to_record(filled.row) as rows({record})"
    )


def _names(columns: Iterable[Column]) -> str:
    return ", ".join(quote(column.name) for column in columns)
