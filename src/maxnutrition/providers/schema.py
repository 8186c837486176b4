"""JSON schemas that every provider takes: the small set of keywords that Gemini, OpenAI and llama.cpp share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_KEPT = frozenset(
    {
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "anyOf",
        "description",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "additionalProperties",
    }
)


def shared_schema(model: type[BaseModel]) -> Mapping[str, Any]:
    """The model's schema with references resolved, `const` as a list of one, and no other keywords than the shared.

    What is left out (lengths, patterns) is checked when the answer is parsed. Raises RecursionError for a model that
    contains itself.
    """
    whole = model.model_json_schema()
    return _reduce(whole, whole.get("$defs", {}))


def _reduce(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _reduce(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    reduced = {key: value for key, value in schema.items() if key in _KEPT}
    if "const" in schema:
        reduced["enum"] = [schema["const"]]
    if "properties" in schema:
        reduced["properties"] = {name: _reduce(part, definitions) for name, part in schema["properties"].items()}
    if isinstance(schema.get("items"), Mapping):
        reduced["items"] = _reduce(schema["items"], definitions)
    if "anyOf" in schema:
        reduced["anyOf"] = [_reduce(part, definitions) for part in schema["anyOf"]]
    return reduced
