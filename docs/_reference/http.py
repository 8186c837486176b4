"""The Edge Functions, from their sources, and what each type takes and gives, from the contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs._reference.markdown import block, code, folded, prose, table

_FUNCTIONS = Path(__file__).parents[2] / "supabase" / "functions"


def describe_functions() -> str:
    return "\n\n".join(_describe_function(handler) for handler in sorted(_FUNCTIONS.glob("*/handler.ts")))


def _describe_function(handler: Path) -> str:
    """What a handler's file begins with: lines of comment."""
    about = []
    for line in handler.read_text(encoding="utf-8").splitlines():
        if not line.startswith("//"):
            break
        about.append(line.removeprefix("//").strip())
    return f"### {handler.parent.name}\n\n{prose(chr(10).join(about))}"


def describe_types() -> str:
    files = sorted((_FUNCTIONS / "_shared" / "contracts").glob("*.json"))
    return "\n\n".join(_describe_type(json.loads(file.read_text(encoding="utf-8"))) for file in files)


def _describe_type(contract: Mapping[str, Any]) -> str:
    rows = _fields(contract["input_schema"])
    return "\n\n".join(
        (
            f"### {contract['type']}",
            prose(contract["about"]) + ".",
            table(("input", "is", "default"), rows),
            block("json", _pretty(contract["example_input"])),
            folded("An example of the result", "json", _pretty(contract["example_result"])),
            folded("The schema of the input", "json", _pretty(contract["input_schema"])),
            folded("The schema of the result", "json", _pretty(contract["result_schema"])),
        )
    )


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in required else f"default {code(json.dumps(field.get('default')))}"
        yield (
            code(name),
            code(_kind(field, schema.get("$defs", {}))),
            f"{default} {prose(field.get('description', ''))}",
        )


def _kind(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """A word for a field's type, short enough for a table; the schema below it says the rest."""
    if "$ref" in field:
        return _kind(definitions[field["$ref"].rpartition("/")[2]], definitions)
    if choices := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(dict.fromkeys(_kind(choice, definitions) for choice in choices))
    if values := field.get("enum"):
        return " | ".join(map(str, values))
    if "const" in field:
        return str(field["const"])
    if field.get("type") == "array":
        return f"array of {_kind(field.get('items', {}), definitions)}"
    return str(field.get("type", "anything"))


def _pretty(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
