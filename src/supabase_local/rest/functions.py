"""Which function a call means: found by name, the names of the arguments, and the content type."""

from __future__ import annotations

from collections.abc import Mapping

from supabase_local.rest.errors import RestError
from supabase_local.rest.hints import closest
from supabase_local.rest.payload import JSON, RAW_TYPES
from supabase_local.rest.schema_cache import SCHEMA, Function

_RENAME = "Try renaming the parameters or the function itself in the database so function overloading can be resolved"


def find_function(
    known: Mapping[str, tuple[Function, ...]], name: str, arguments: frozenset[str], body_type: str | None
) -> Function:
    """`body_type` is the content type of a call by POST, None for one by GET."""
    candidates = known.get(name, ())
    named = [function for function in candidates if _takes(function, arguments, body_type)]
    found = named or [function for function in candidates if takes_whole_body(function, body_type)]
    match found:
        case [function]:
            return function
        case []:
            raise _unknown(known, name, arguments, body_type)
        case _:
            signatures = ", ".join(_signature(function) for function in found)
            message = f"Could not choose the best candidate function between: {signatures}"
            raise RestError(300, "PGRST203", message, hint=_RENAME)


def takes_whole_body(function: Function, body_type: str | None) -> bool:
    """A function with one unnamed parameter is given the body as it is."""
    if body_type is None or len(function.parameters) != 1 or function.parameters[0].name:
        return False
    wanted = ("json", "jsonb") if body_type == JSON else (RAW_TYPES.get(body_type),)
    return function.parameters[0].type in wanted


def _takes(function: Function, arguments: frozenset[str], body_type: str | None) -> bool:
    if not function.parameters:
        return not arguments and body_type not in RAW_TYPES
    names = {parameter.name for parameter in function.parameters}
    required = {parameter.name for parameter in function.parameters if parameter.required}
    return required <= arguments <= names


def _signature(function: Function) -> str:
    parameters = ", ".join(f"{parameter.name} => {parameter.type}" for parameter in function.parameters)
    return f"{SCHEMA}.{function.name}({parameters})"


def _unknown(
    known: Mapping[str, tuple[Function, ...]], name: str, arguments: frozenset[str], body_type: str | None
) -> RestError:
    names = sorted(arguments)
    listed = ", ".join(names)
    function = f"{SCHEMA}.{name}"
    if body_type in RAW_TYPES:
        called = ""
        searched = f" with a single unnamed {RAW_TYPES[body_type]} parameter"
    else:
        called = f"({listed})" if names else " without parameters"
        searched = f" with parameter{'s' if len(names) > 1 else ''} {listed}" if names else called
        if body_type == JSON:
            searched += " or with a single unnamed json/jsonb parameter"
    return RestError(
        404,
        "PGRST202",
        f"Could not find the function {function}{called} in the schema cache",
        f"Searched for the function {function}{searched}, but no matches were found in the schema cache.",
        _meant(known, name, names),
    )


def _meant(known: Mapping[str, tuple[Function, ...]], name: str, arguments: list[str]) -> str | None:
    overloads = known.get(name, ())
    if overloads:
        lists = [", ".join(sorted(parameter.name for parameter in one.parameters)) for one in overloads]
        likely = closest(f"({', '.join(arguments)})", [f"({names})" for names in lists])
        meant = None if likely is None else name + likely
    else:
        meant = closest(name, known)
    return None if meant is None else f"Perhaps you meant to call the function {SCHEMA}.{meant}"
