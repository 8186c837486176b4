"""Whether the database can serve a binding: asked once per subscription, answered in the real server's words."""

from __future__ import annotations

import re
from collections.abc import Iterable

import psycopg
from psycopg import AsyncConnection, sql

from supabase_local.realtime.bindings import OPERATORS, Binding, BindingError, Filter

PUBLICATION = "supabase_realtime"
MESSAGES_PUBLICATION = "supabase_realtime_messages_publication"
_UNABLE = "Unable to subscribe to changes with given parameters."
_PUBLISHED = """
select c.oid::bigint, n.nspname::text, c.relname::text
from pg_publication_tables p
join pg_namespace n on n.nspname = p.schemaname
join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
where p.pubname = %s
"""
_SELECTABLE_TYPE = """
select format_type(atttypid, atttypmod) from pg_attribute
where attrelid = %s and attname = %s and attnum > 0 and not attisdropped
    and has_column_privilege(%s::name, attrelid, attnum, 'select')
"""

Published = frozenset[tuple[int, str, str]]


async def published_tables(connection: AsyncConnection) -> Published:
    """Object id, schema and name of every table in the publication."""
    cursor = await connection.execute(_PUBLISHED, (PUBLICATION,))
    return frozenset((oid, schema, table) for oid, schema, table in await cursor.fetchall())


async def resolve(connection: AsyncConnection, published: Published, binding: Binding, role: str) -> frozenset[int]:
    """The tables that `binding` means, by object id. Raises BindingError where the real server sends one."""
    oids = frozenset(oid for oid, schema, table in published if binding.covers(schema, table))
    if not oids:
        raise BindingError(f"{_UNABLE} Please check Realtime is enabled for the given connect parameters: {binding}")
    try:
        await connection.execute("select quote_ident(%s)::regrole", (role,))
        for oid in oids:
            for wanted in binding.filters:
                await _check_filter(connection, oid, wanted, role)
            for column in binding.select or ():
                await _selectable_type(connection, oid, column, role, "select")
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise _refusal(binding, f"{error.sqlstate} ({_condition(error)}) {error.diag.message_primary}") from error
    except _InvalidColumnError as error:
        raise _refusal(binding, f"P0001 (raise_exception) {error}") from error
    return oids


class _InvalidColumnError(Exception):
    pass


async def _check_filter(connection: AsyncConnection, oid: int, wanted: Filter, role: str) -> None:
    sql_type = await _selectable_type(connection, oid, wanted.column, role, "filter")
    check = condition(sql.SQL("null::{}").format(sql.SQL(sql_type)), wanted, sql_type)
    await connection.execute(sql.SQL("select {}").format(check), operands([wanted]))


async def _selectable_type(connection: AsyncConnection, oid: int, column: str, role: str, purpose: str) -> str:
    cursor = await connection.execute(_SELECTABLE_TYPE, (oid, column, role))
    if (row := await cursor.fetchone()) is None:
        raise _InvalidColumnError(f"invalid column for {purpose} {column}")
    name: str = row[0]
    return name


def condition(column: sql.Composable, wanted: Filter, sql_type: str) -> sql.Composed:
    """Whether `column`, of `sql_type`, passes, with placeholders for the `operands`."""
    operator = sql.SQL(OPERATORS[wanted.operator])
    if wanted.operator == "is":
        passes = sql.SQL("{} {} {}").format(column, operator, sql.SQL(wanted.value))
    else:
        target = sql.SQL(f"{sql_type}[]" if wanted.operator == "in" else sql_type)
        passes = sql.SQL("{} {} (%s::{})").format(column, operator, target)
    return sql.SQL("not ({})").format(passes) if wanted.negated else passes


def operands(filters: Iterable[Filter]) -> list[str]:
    return [wanted.value for wanted in filters if wanted.operator != "is"]


def _condition(error: psycopg.Error) -> str:
    """PostgreSQL's name of the condition, from the name of psycopg's class: InvalidName -> invalid_name."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def _refusal(binding: Binding, reason: str) -> BindingError:
    checked = "An exception happened so please check your connect parameters"
    return BindingError(f"{_UNABLE} {checked}: {binding}. Exception: ERROR {reason}")
