"""Rows as clients get them: PostgreSQL turns its own text values into JSON and tests the filters, many rows a query."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection, sql

from supabase_local.realtime.bindings import Filter
from supabase_local.realtime.catalogue import condition, operands
from supabase_local.realtime.claims import Viewer
from supabase_local.realtime.pgoutput import Relation, Row

_TABLE = """
select a.attname::text, t.typname::text, format_type(a.atttypid, a.atttypmod),
    coalesce(a.attnum = any (i.indkey), false), c.relrowsecurity,
    array(
        select r.rolname::text from pg_roles r
        where r.rolname = any (%(roles)s::text[]) and has_column_privilege(r.oid, c.oid, a.attnum, 'select')
    )
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_index i on i.indrelid = c.oid and i.indisprimary
where c.oid = %(oid)s
order by a.attnum
"""
_VISIBLE = "select bool_and(pg_visible_in_snapshot(xid, pg_current_snapshot())) from unnest(%s::xid8[]) as xid"
"""The stream's number is the lower half of the whole one: the same until the server has seen 2^32 transactions."""
_LOOK_AGAIN_S = 0.001


@dataclass(frozen=True, slots=True)
class TableColumn:
    name: str
    type_name: str
    sql_type: str
    in_key: bool
    selectable_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalogue describes it now."""

    oid: int
    schema: str
    name: str
    has_rls: bool
    columns: tuple[TableColumn, ...]

    @property
    def key(self) -> list[TableColumn]:
        return [column for column in self.columns if column.in_key]


Values = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class JsonRow:
    """`values` maps columns to JSON text, None for null; columns that were not sent are missing."""

    values: Values
    passed: frozenset[Filter]


async def read_table(connection: AsyncConnection, relation: Relation, roles: set[str]) -> Table | None:
    """None where the table is gone."""
    cursor = await connection.execute(_TABLE, {"oid": relation.oid, "roles": list(roles)})
    found = await cursor.fetchall()
    if not found:
        return None
    columns = tuple(TableColumn(name, kind, full, key, frozenset(by)) for name, kind, full, key, _, by in found)
    return Table(relation.oid, relation.schema, relation.table, found[0][4], columns)


async def to_json(
    connection: AsyncConnection, table: Table, relation: Relation, rows: Sequence[Row], filters: Sequence[Filter]
) -> list[JsonRow]:
    """`rows` in the same order, converted, each with those of `filters` that it passes. An unknown result is none."""
    positions = {column.name: position for position, column in enumerate(relation.columns)}
    columns = [column for column in table.columns if column.name in positions]
    sent = [positions[column.name] for column in columns]
    cells = [[row[at] if isinstance(row[at], str) else None for row in rows] for at in sent]
    names = {column.name for column in columns}
    compared = operands(wanted for wanted in filters if wanted.column in names)
    cursor = await connection.execute(_conversion(columns, filters), [*compared, *cells])
    found = await cursor.fetchall()
    return [
        JsonRow(
            {column.name: value for column, at, value in zip(columns, sent, values, strict=True) if _was_sent(row[at])},
            frozenset(wanted for wanted, passes in zip(filters, passed, strict=True) if passes),
        )
        for row, (values, passed) in zip(rows, found, strict=True)
    ]


def _was_sent(cell: object) -> bool:
    return cell is None or isinstance(cell, str)


def _conversion(columns: Sequence[TableColumn], filters: Sequence[Filter]) -> sql.Composed:
    typed = {
        column.name: sql.SQL("{}::{}").format(_cell(at), sql.SQL(column.sql_type)) for at, column in enumerate(columns)
    }
    types = {column.name: column.sql_type for column in columns}
    tests = [
        sql.SQL("coalesce({}, false)").format(condition(typed[wanted.column], wanted, types[wanted.column]))
        if wanted.column in typed
        else sql.SQL("false")
        for wanted in filters
    ]
    comma = sql.SQL(", ")
    return sql.SQL(
        "select array[{values}]::text[], array[{tests}]::bool[]"
        " from unnest({parameters}) with ordinality as t({names}, n) order by t.n"
    ).format(
        values=comma.join(sql.SQL("to_jsonb({})::text").format(value) for value in typed.values()),
        tests=comma.join(tests),
        parameters=comma.join(sql.SQL("%s::text[]") for _ in columns),
        names=comma.join(sql.Identifier(f"c{at}") for at in range(len(columns))),
    )


def _cell(at: int) -> sql.Composed:
    return sql.SQL("t.{}").format(sql.Identifier(f"c{at}"))


async def until_visible(connection: AsyncConnection, xids: Iterable[int]) -> None:
    """The stream tells of a transaction as soon as it is logged, a moment before others see its rows."""
    texts = [str(xid) for xid in xids]
    while True:
        cursor = await connection.execute(_VISIBLE, (texts,))
        if (row := await cursor.fetchone()) is not None and row[0]:
            return
        await asyncio.sleep(_LOOK_AGAIN_S)


async def visible_keys(
    connection: AsyncConnection, table: Table, viewer: Viewer, keys: Sequence[tuple[str, ...]]
) -> set[tuple[str, ...]]:
    """Those of `keys` (primary key values as text, in the order of `table.key`) whose rows the viewer can select."""
    names = [sql.Identifier(f"c{at}") for at in range(len(table.key))]
    comma = sql.SQL(", ")
    query = sql.SQL(
        "select t.n::int - 1 from unnest({parameters}) with ordinality as t({names}, n) join {table} r on {matches}"
    ).format(
        parameters=comma.join(sql.SQL("%s::text[]") for _ in names),
        names=comma.join(names),
        table=sql.Identifier(table.schema, table.name),
        matches=sql.SQL(" and ").join(
            sql.SQL("r.{} = t.{}::{}").format(sql.Identifier(column.name), name, sql.SQL(column.sql_type))
            for column, name in zip(table.key, names, strict=True)
        ),
    )
    async with connection.transaction(force_rollback=True):
        settings = "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)"
        await connection.execute(settings, (viewer.role, viewer.claims_json))
        cursor = await connection.execute(query, [list(column) for column in zip(*keys, strict=True)])
        return {keys[position] for (position,) in await cursor.fetchall()}
