"""The root path: which tables and functions there are."""

from __future__ import annotations

from importlib import resources

from supabase_local.rest.media import Media
from supabase_local.rest.plan import Plan
from supabase_local.rest.replies import Reply
from supabase_local.rest.schema_cache import SCHEMA
from supabase_local.rest.statement import VERSION, Outcome, Transaction


def plan_overview() -> Plan:
    def judge(outcome: Outcome) -> Reply:
        return Reply(200, (("Content-Type", Media.OPENAPI.content_type),), outcome.body)

    sql = resources.files(__package__).joinpath("overview.sql").read_text()
    return Plan(Transaction(sql, [SCHEMA, VERSION], read_only=True, settings={}), judge)
