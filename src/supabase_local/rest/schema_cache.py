"""What the REST layer knows of the exposed schema. Loaded at start and on `notify pgrst, 'reload schema'`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import psycopg

SCHEMA = "public"
SEARCH_PATH = '"public", "public", "extensions"'  # the exposed schema, then the extra ones, as Supabase configures it


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str
    required: bool
    variadic: bool


@dataclass(frozen=True, slots=True)
class Function:
    """`settings` are those of its `set` clauses, as `name=value`."""

    name: str
    volatile: bool
    returns: Literal["void", "scalar", "row"]
    returns_set: bool
    parameters: tuple[Parameter, ...]
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchemaCache:
    """`role_settings`: what `alter role ... set` gives each role that may be impersonated."""

    functions: Mapping[str, tuple[Function, ...]]
    tables: Mapping[str, Table]
    role_settings: Mapping[str, Mapping[str, str]]


async def load(connection: psycopg.AsyncConnection[Any]) -> SchemaCache:
    """Needs a connection in autocommit mode with raw (`$1`) parameters."""
    query = resources.files(__package__).joinpath("schema_cache.sql").read_text()
    async with connection.transaction():
        await connection.execute("set local search_path = ''")
        cursor = await connection.execute(query.encode(), [SCHEMA])
        row = await cursor.fetchone()
    if row is None:
        raise psycopg.InternalError("the catalog query gave no row")
    functions, tables, role_settings = row
    by_name: dict[str, tuple[Function, ...]] = {}
    for document in functions:
        by_name[document["name"]] = (*by_name.get(document["name"], ()), _function(document))
    return SchemaCache(by_name, {document["name"]: _table(document) for document in tables}, role_settings)


def _function(document: dict[str, Any]) -> Function:
    parameters = tuple(Parameter(**parameter) for parameter in document["parameters"])
    return Function(**(document | {"parameters": parameters, "settings": tuple(document["settings"])}))


def _table(document: dict[str, Any]) -> Table:
    columns = {column["name"]: Column(**column) for column in document["columns"]}
    return Table(document["name"], columns, tuple(document["primary_key"]))
