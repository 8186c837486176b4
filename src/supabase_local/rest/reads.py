"""GET and HEAD of a table or a view."""

# ruff: noqa: S608
# Building SQL is what this module is for: names come quoted, values are bound.

from __future__ import annotations

from supabase_local.rest.filters import read_filters, where
from supabase_local.rest.media import body_sql
from supabase_local.rest.plan import Plan, preference_headers
from supabase_local.rest.replies import Reply, check_single, page_reply
from supabase_local.rest.request import Request
from supabase_local.rest.schema_cache import Table
from supabase_local.rest.selection import order_by, read_order, read_range, read_select
from supabase_local.rest.statement import GUCS, Outcome, Transaction, Values, qualified


def plan_read(request: Request, table: Table) -> Plan:
    page = read_range(request)
    values = Values()
    relation = qualified(table.name)
    conditions = read_filters(request.query)
    selected = ", ".join(item.sql(table.name) for item in read_select(request.parameter("select"), table.name))
    order = order_by(read_order(request.parameter("order")), table.name)
    limits = f" limit {values.bind(page.limit)}::bigint offset {values.bind(page.offset)}::bigint"
    rows = f"select {selected} from {relation}{where(conditions, table.name, values)}{order}{limits}"
    total = "null::bigint"
    if request.preferences.counts:
        total = f"(select count(*) from {relation}{where(conditions, table.name, values)})"
    sql = (
        f"with page as ({rows}) select {total}, count(page), {body_sql(request.media, 'rows')}, "
        f"null::bigint, null::text, {GUCS} from page"
    )
    query = request.canonical_query()
    location = (("Content-Location", request.raw.path + (f"?{query}" if query else "")),)

    def judge(outcome: Outcome) -> Reply:
        check_single(request, outcome, "rows")
        return page_reply(request, outcome, page, (*location, *preference_headers(request, "count")))

    return Plan(Transaction(sql, values.bound, read_only=True, settings={}), judge)
