"""Which path means what."""

from __future__ import annotations

from supabase_local.rest.errors import RestError
from supabase_local.rest.overview import plan_overview
from supabase_local.rest.plan import Plan
from supabase_local.rest.reads import plan_read
from supabase_local.rest.request import Raw, Request
from supabase_local.rest.rpc import allowed_methods, plan_call
from supabase_local.rest.schema_cache import SCHEMA, SchemaCache
from supabase_local.rest.writes import plan_delete, plan_insert, plan_update

_TABLE_METHODS = "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"


def plan(request: Request, schema: SchemaCache) -> Plan:
    match request.raw.path.strip("/").split("/"):
        case ["rpc", name]:
            return plan_call(request, name, schema)
        case [""] if request.is_read:
            return plan_overview()
        case [""]:
            raise _unsupported(request)
        case [name]:
            return _plan_table(request, name, schema)
        case _:
            raise RestError(404, "PGRST125", "Invalid path specified in request URL")


def allow(raw: Raw, schema: SchemaCache) -> str:
    """The methods that an OPTIONS request is told of."""
    match raw.path.strip("/").split("/"):
        case ["rpc", name]:
            return allowed_methods(name, schema)
        case _:
            return _TABLE_METHODS


def _plan_table(request: Request, name: str, schema: SchemaCache) -> Plan:
    if request.raw.method not in ("GET", "HEAD", "POST", "PATCH", "DELETE"):
        raise _unsupported(request)
    if (table := schema.tables.get(name)) is None:
        raise RestError(404, "PGRST205", f"Could not find the table '{SCHEMA}.{name}' in the schema cache")
    match request.raw.method:
        case "POST":
            return plan_insert(request, table)
        case "PATCH":
            return plan_update(request, table)
        case "DELETE":
            return plan_delete(request, table)
        case _:
            return plan_read(request, table)


def _unsupported(request: Request) -> RestError:
    return RestError(405, "PGRST117", f"Unsupported HTTP method: {request.raw.method}")
