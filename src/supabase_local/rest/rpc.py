"""`/rpc/{function}`: from a call to one statement. PostgreSQL itself casts the arguments and writes the result."""

# ruff: noqa: S608
# Building SQL is what this module is for: names come quoted, values are bound.

from __future__ import annotations

from typing import cast, get_args

from supabase_local.rest.arguments import call_sql, read_arguments
from supabase_local.rest.errors import RestError
from supabase_local.rest.filters import Condition, is_filter, read_filters, where
from supabase_local.rest.functions import find_function
from supabase_local.rest.media import Shape, body_sql
from supabase_local.rest.plan import Plan, preference_headers
from supabase_local.rest.replies import Reply, check_affected, check_single, page_reply, reply
from supabase_local.rest.request import Request
from supabase_local.rest.schema_cache import Function, SchemaCache
from supabase_local.rest.selection import Range, order_by, read_order, read_range, read_select
from supabase_local.rest.statement import GUCS, Isolation, Outcome, Transaction, Values, quote

_HOISTED = frozenset({"statement_timeout", "default_transaction_isolation"})  # too late once the function runs


def plan_call(request: Request, name: str, schema: SchemaCache) -> Plan:
    if request.raw.method not in ("GET", "HEAD", "POST"):
        raise RestError(405, "PGRST101", f"Cannot use the {request.raw.method} method on RPC")
    arguments = read_arguments(request)
    body_type = None if request.is_read else request.content_type
    function = find_function(schema.functions, name, arguments.names, body_type)
    values = Values()
    page = read_range(request)
    sql = _page_sql(request, function, page, call_sql(function, arguments, values), values)
    hoisted = dict(setting.split("=", 1) for setting in function.settings if setting.split("=")[0] in _HOISTED)
    transaction = Transaction(
        sql,
        values.bound,
        read_only=request.is_read or not function.volatile,
        settings=hoisted,
        isolation=_isolation(hoisted.get("default_transaction_isolation")),
    )

    def judge(outcome: Outcome) -> Reply:
        check_affected(request, outcome)
        check_single(request, outcome, _shape(function))
        headers = preference_headers(request, "count")
        if function.returns == "void":
            return reply(request, outcome, 204, (("Content-Range", "0-0/*"), *headers), None)
        return page_reply(request, outcome, page, headers)

    return Plan(transaction, judge)


def allowed_methods(name: str, schema: SchemaCache) -> str:
    """What OPTIONS answers: a function that may write is not to be called by GET."""
    volatile = all(function.volatile for function in schema.functions.get(name, ()))
    return "OPTIONS,POST" if volatile else "OPTIONS,GET,HEAD,POST"


def _shape(function: Function) -> Shape:
    if function.returns == "row":
        return "rows" if function.returns_set else "row"
    return "scalars" if function.returns_set else "scalar"


def _page_sql(request: Request, function: Function, page: Range, source: str, values: Values) -> str:
    name, shape = function.name, _shape(function)
    relation = f"source as {quote(name)}"
    selected, order = f"{quote(name)}.*", ""
    conditions: tuple[Condition, ...] = ()
    if function.returns == "row":
        selected = ", ".join(item.sql(name) for item in read_select(request.parameter("select"), name))
        conditions = _conditions(request)
        order = order_by(read_order(request.parameter("order")), name)
    limits = f" limit {values.bind(page.limit)}::bigint offset {values.bind(page.offset)}::bigint"
    rows = f"select {selected} from {relation}{where(conditions, name, values)}{order}{limits}"
    total = "null::bigint"
    if request.preferences.counts:
        total = f"(select count(*) from {relation}{where(conditions, name, values)})"
    body = "''" if function.returns == "void" else body_sql(request.media, shape)
    return (
        f"with source as ({source}), page as ({rows}) "
        f"select {total}, count(page), {body}, null::bigint, null::text, {GUCS} from page"
    )


def _conditions(request: Request) -> tuple[Condition, ...]:
    """By GET, what is no condition is an argument."""
    return read_filters(pair for pair in request.query if not request.is_read or is_filter(*pair))


def _isolation(wanted: str | None) -> Isolation:
    return cast("Isolation", wanted) if wanted in get_args(Isolation) else "read committed"
