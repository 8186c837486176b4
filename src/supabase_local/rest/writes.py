"""POST, PATCH and DELETE of a table: a change, what it returns, and the answer made of that."""

# ruff: noqa: S608
# Building SQL is what this module is for: names come quoted, values are bound.

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote as url_quote

from supabase_local.rest.changes import Change, deletion, insertion, update
from supabase_local.rest.errors import Headers
from supabase_local.rest.media import body_sql
from supabase_local.rest.plan import Plan, preference_headers
from supabase_local.rest.replies import Reply, check_affected, check_single, reply
from supabase_local.rest.request import Request
from supabase_local.rest.schema_cache import Table
from supabase_local.rest.selection import Ordered, Selected, order_by, read_order, read_select
from supabase_local.rest.statement import GUCS, Outcome, Transaction, Values, quote


def plan_insert(request: Request, table: Table) -> Plan:
    values = Values()
    change = insertion(request, table, values)

    def judge(outcome: Outcome) -> Reply:
        status = 200 if change.merges and outcome.inserted == 0 else 201
        headers = (*_location(table, outcome), ("Content-Range", f"*/{_total(request, outcome)}"))
        applied = preference_headers(request, "resolution", "missing", "return", "count")
        return _reply(request, outcome, status, (*headers, *applied))

    return _plan(request, table, change, values, judge)


def plan_update(request: Request, table: Table) -> Plan:
    values = Values()

    def judge(outcome: Outcome) -> Reply:
        span = f"0-{outcome.count - 1}" if outcome.count else "*"
        return _changed(request, outcome, span)

    return _plan(request, table, update(request, table, values), values, judge)


def plan_delete(request: Request, table: Table) -> Plan:
    values = Values()

    def judge(outcome: Outcome) -> Reply:
        return _changed(request, outcome, "*")

    return _plan(request, table, deletion(request, table, values), values, judge)


def _changed(request: Request, outcome: Outcome, span: str) -> Reply:
    check_affected(request, outcome)
    headers = (("Content-Range", f"{span}/{_total(request, outcome)}"), *preference_headers(request, "return", "count"))
    return _reply(request, outcome, 200 if _is_shown(request) else 204, headers)


def _plan(request: Request, table: Table, change: Change, values: Values, judge: Callable[[Outcome], Reply]) -> Plan:
    rows, body, location = "select from source", "''", "null::text"
    returned: list[str] = []
    if _is_shown(request):
        selected = read_select(request.parameter("select"), table.name)
        order = read_order(request.parameter("order"))
        returned = _needed(table, selected, order)
        rows = f"select {_selected_sql(table, selected)} from source as {quote(table.name)}"
        rows += order_by(order, table.name)
        body = body_sql(request.media, "rows")
    elif request.preferences.get("return") == "headers-only" and table.primary_key:
        returned = list(table.primary_key)
        keys = ", ".join(f"{quote(name)}::text" for name in returned)
        location = f"(select json_build_array({keys})::text from source limit 1)"
    columns = [f"{quote(table.name)}.{quote(name)}" for name in returned]
    inserted = "null::bigint"
    if change.merges:
        columns.append("xmax = 0 as pgrst_inserted")  # a row that was there before carries the updater's lock
        inserted = "(select count(*) from source where pgrst_inserted)"
    sql = (
        f"with source as ({change.sql(', '.join(columns) or '1')}), page as ({rows}) "
        f"select null::bigint, count(*), {body}, {inserted}, {location}, {GUCS} from page"
    )
    return Plan(Transaction(sql, values.bound, read_only=False, settings={}), judge)


def _needed(table: Table, selected: tuple[Selected, ...], order: tuple[Ordered, ...]) -> list[str]:
    """The columns to return, and no more: the role may not be allowed to read the others."""
    if any(item.is_star for item in selected):
        return list(table.columns)
    named = [item.column.name for item in selected] + [term.column.name for term in order]
    return list(dict.fromkeys(named))


def _selected_sql(table: Table, selected: tuple[Selected, ...]) -> str:
    """A star stands for the table's columns only: the source may have one more."""
    star = ", ".join(f"{quote(table.name)}.{quote(name)}" for name in table.columns)
    return ", ".join(star if item.is_star else item.sql(table.name) for item in selected)


def _is_shown(request: Request) -> bool:
    return request.preferences.get("return") == "representation"


def _reply(request: Request, outcome: Outcome, status: int, headers: Headers) -> Reply:
    if not _is_shown(request):
        return reply(request, outcome, status, headers, None)
    check_single(request, outcome, "rows")
    return reply(request, outcome, status, headers, outcome.body)


def _total(request: Request, outcome: Outcome) -> str:
    return str(outcome.count) if request.preferences.counts else "*"


def _location(table: Table, outcome: Outcome) -> Headers:
    """Where the one new row is to be found."""
    if outcome.location is None or outcome.count != 1:
        return ()
    keys = zip(table.primary_key, json.loads(outcome.location), strict=True)
    query = "&".join(f"{url_quote(name)}=eq.{url_quote(value)}" for name, value in keys)
    return (("Location", f"/{table.name}?{query}"),)
