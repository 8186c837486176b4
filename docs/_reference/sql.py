"""Functions and tables of the queue, from the catalogue of a database that the migrations made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from docs._reference.markdown import block, code, prose, table

# Each function stands under the first of these roles that may call it; service_role may call all of them.
_CALLERS = {
    "authenticated": "For users",
    "analysis_worker": "For workers",
    "service_role": "For operators and services",
}
_ROLES = ("anon", *_CALLERS)

_FUNCTIONS = """
select
    function.proname as name,
    pg_get_function_arguments(function.oid) as arguments,
    pg_get_function_result(function.oid) as result,
    coalesce(obj_description(function.oid, 'pg_proc'), '') as comment,
    array(select role from unnest(%s::text[]) as role where has_function_privilege(role, function.oid, 'execute'))
        as callers
from pg_proc as function
join pg_language as language on language.oid = function.prolang
where function.pronamespace = 'public'::regnamespace and language.lanname = 'plpgsql'
order by function.proname
"""
_TABLES = """
select relname as name, coalesce(obj_description(oid, 'pg_class'), '') as comment
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
order by relname
"""
_COLUMNS = """
select
    class.relname as table,
    attribute.attname as name,
    format_type(attribute.atttypid, attribute.atttypmod) as type,
    attribute.attnotnull as required,
    coalesce(pg_get_expr(initial.adbin, initial.adrelid), '') as default,
    coalesce(col_description(class.oid, attribute.attnum), '') as comment
from pg_attribute as attribute
join pg_class as class on class.oid = attribute.attrelid
left join pg_attrdef as initial on initial.adrelid = class.oid and initial.adnum = attribute.attnum
where class.relnamespace = 'public'::regnamespace and class.relkind in ('r', 'p') and not class.relispartition
    and attribute.attnum > 0 and not attribute.attisdropped
order by attribute.attnum
"""


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: str
    result: str
    comment: str
    callers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    table: str
    name: str
    type: str
    required: bool
    default: str
    comment: str


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    comment: str


@dataclass(frozen=True, slots=True)
class Catalog:
    functions: Sequence[Function]
    tables: Sequence[Table]
    columns: Sequence[Column]


def read_catalog(url: str) -> Catalog:
    with psycopg.connect(url) as connection:
        return Catalog(
            connection.cursor(row_factory=class_row(Function)).execute(_FUNCTIONS, (list(_ROLES),)).fetchall(),
            connection.cursor(row_factory=class_row(Table)).execute(_TABLES).fetchall(),
            connection.cursor(row_factory=class_row(Column)).execute(_COLUMNS).fetchall(),
        )


def describe_sql_functions(catalog: Catalog) -> str:
    return "\n\n".join(_describe_group(catalog, role, title) for role, title in _CALLERS.items())


def _describe_group(catalog: Catalog, role: str, title: str) -> str:
    functions = (function for function in catalog.functions if _first_caller(function) == role)
    return "\n\n".join([f"## {title}", *(_describe(function) for function in functions)])


def _first_caller(function: Function) -> str | None:
    return next((role for role in _CALLERS if role in function.callers), None)


def _describe(function: Function) -> str:
    arguments = ",\n".join(f"    {argument}" for argument in _split(function.arguments))
    inside = f"\n{arguments}\n" if arguments else ""
    signature = block("sql", f"{function.name}({inside}) returns {function.result}")
    callers = ", ".join(map(code, function.callers))
    return f"### {function.name}\n\n{signature}\n\n{prose(function.comment)}\n\nCallers: {callers}"


def _split(arguments: str) -> Iterator[str]:
    """At the commas between arguments, and not at those within their defaults' strings."""
    start, quoted = 0, False
    for index, character in enumerate(arguments):
        quoted ^= character == "'"
        if character == "," and not quoted:
            yield arguments[start:index].strip()
            start = index + 1
    if last := arguments[start:].strip():
        yield last


def describe_tables(catalog: Catalog) -> str:
    return "\n\n".join(_describe_table(catalog, of) for of in catalog.tables)


def _describe_table(catalog: Catalog, of: Table) -> str:
    columns = (column for column in catalog.columns if column.table == of.name)
    rows = ((code(column.name), _type(column), prose(column.comment)) for column in columns)
    return f"## {of.name}\n\n{prose(of.comment)}\n\n{table(('column', 'type', 'holds'), rows)}"


def _type(column: Column) -> str:
    default = f" = {column.default}" if column.default else ""
    return code(f"{column.type}{'' if column.required else '?'}{default}")
