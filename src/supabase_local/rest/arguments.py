"""What a call brings to its function, and the SQL that hands it over with the types the function declares."""

# ruff: noqa: S608
# Building SQL is what this module is for: names come quoted, values are bound.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from supabase_local.rest import payload
from supabase_local.rest.errors import RestError
from supabase_local.rest.filters import is_filter
from supabase_local.rest.functions import takes_whole_body
from supabase_local.rest.payload import RAW_TYPES, Payload, read_json
from supabase_local.rest.request import Request
from supabase_local.rest.schema_cache import Function, Parameter
from supabase_local.rest.statement import Values, array_literal, qualified, quote


@dataclass(frozen=True, slots=True)
class Texts:
    """Arguments of a query string or a form; a name may come more than once."""

    by_name: Mapping[str, list[str]]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.by_name)


@dataclass(frozen=True, slots=True)
class Json:
    payload: Payload

    @property
    def names(self) -> frozenset[str]:
        return self.payload.keys


@dataclass(frozen=True, slots=True)
class Body:
    """A body that can only be one argument, as it is."""

    content: bytes
    names: frozenset[str] = frozenset()


Arguments = Texts | Json | Body


def read_arguments(request: Request) -> Arguments:
    body = request.raw.body
    if request.is_read:
        return _texts((name, value) for name, value in request.query if not is_filter(name, value))
    match request.content_type:
        case payload.JSON:
            return Json(read_json(body or b"{}"))
        case "application/x-www-form-urlencoded":
            return _texts(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        case kind if kind in RAW_TYPES:
            return Body(body)
        case kind:
            raise RestError(400, "PGRST102", f"Content-Type not acceptable: {kind}")


def _texts(pairs: Iterable[tuple[str, str]]) -> Texts:
    by_name: dict[str, list[str]] = {}
    for name, value in pairs:
        by_name.setdefault(name, []).append(value)
    return Texts(by_name)


def call_sql(function: Function, arguments: Arguments, values: Values) -> str:
    """A query whose rows are the function's; a scalar comes in a column named `pgrst_scalar`."""
    given = tuple(parameter for parameter in function.parameters if parameter.name in arguments.names)
    source = ""
    match arguments:
        case Texts(by_name):
            passed = [_pass(one, f"{values.bind(_text(one, by_name[one.name]))}::{one.type}") for one in given]
        case Json(payload=content) if given:
            source = _record_sql(content, given, values)
            passed = [_pass(one, f"args.{quote(one.name)}") for one in given]
        case Json(payload=content):
            passed = [f"{values.bind(content.json)}::{one.type}" for one in _whole(function, payload.JSON)]
        case Body(content=raw):
            passed = [_raw_sql(one, raw, values) for one in function.parameters]
    call = f"{qualified(function.name)}({', '.join(passed)})"
    if function.returns != "row":
        return f"select {call} as pgrst_scalar" + (f" from {source}" if source else "")
    return f"select call.* from {f'{source} cross join lateral ' if source else ''}{call} as call"


def _pass(parameter: Parameter, value: str) -> str:
    return f"{'variadic ' if parameter.variadic else ''}{quote(parameter.name)} => {value}"


def _text(parameter: Parameter, texts: list[str]) -> str:
    if not parameter.variadic:
        return texts[-1]
    return array_literal(texts)


def _whole(function: Function, body_type: str) -> tuple[Parameter, ...]:
    return function.parameters if takes_whole_body(function, body_type) else ()


def _raw_sql(parameter: Parameter, content: bytes, values: Values) -> str:
    value = content if parameter.type == "bytea" else content.decode(errors="replace")
    return f"{values.bind(value)}::{parameter.type}"


def _record_sql(content: Payload, given: tuple[Parameter, ...], values: Values) -> str:
    columns = ", ".join(f"{quote(one.name)} {one.type}" for one in given)
    body = f"{values.bind(content.json)}::json"
    if content.is_array:
        return f"(select * from json_to_recordset({body}) as body({columns}) limit 1) as args"
    return f"json_to_record({body}) as args({columns})"
