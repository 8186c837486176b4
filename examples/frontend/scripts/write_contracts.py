"""Write src/contracts.ts: what goes into and comes out of each job type, as TypeScript says it.

The models in `maxnutrition.contracts` are the source; run this after they changed:

    uv run python examples/frontend/scripts/write_contracts.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from maxnutrition.contracts import chat, health, meal_plan, medical_exam, sofia_image, sofia_text

TYPES: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "dr_vital": (health.DrVitalInput, health.DrVitalResult),
    "health_insights": (health.HealthInsightsInput, health.HealthInsightsResult),
    "meal_plan": (meal_plan.MealPlanInput, meal_plan.MealPlanResult),
    "medical_exam": (medical_exam.MedicalExamInput, medical_exam.MedicalExamResult),
    "sofia_image": (sofia_image.SofiaImageInput, sofia_image.SofiaImageResult),
    "sofia_text": (sofia_text.SofiaTextInput, sofia_text.SofiaTextResult),
    "unified_assistant": (chat.UnifiedAssistantInput, chat.UnifiedAssistantResult),
}
TARGET = Path(__file__).parent.parent / "src" / "contracts.ts"
_HEADER = """\
// Written by scripts/write_contracts.py from the worker's own models. Do not edit: run it again.

import type {} from "use-async-analysis"; // to be added to, it has to be there

"""
_PLAIN = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}
Schema = dict[str, Any]


def write_contracts() -> str:
    """The whole text of the file, the same for the same models."""
    inputs: list[tuple[type[BaseModel], Literal["validation"]]] = [(taken, "validation") for taken, _ in TYPES.values()]
    results: list[tuple[type[BaseModel], Literal["serialization"]]] = [
        (given, "serialization") for _, given in TYPES.values()
    ]
    references, schema = models_json_schema([*inputs, *results], ref_template="{model}")
    interfaces = [_interface(_name(name), model) for name, model in sorted(schema["$defs"].items())]
    types = [
        f"  {type}: {{ input: {_type_of(references[taken, 'validation'])}; "
        f"result: {_type_of(references[given, 'serialization'])} }};"
        for type, (taken, given) in TYPES.items()
    ]
    contracts = "\n".join(["export interface Contracts {", *types, "}"])
    augmentation = 'declare module "use-async-analysis" {\n  interface AnalysisTypes extends Contracts {}\n}'
    return _HEADER + "\n\n".join([*interfaces, contracts, augmentation]) + "\n"


def _interface(name: str, model: Schema) -> str:
    required = set(model.get("required", []))
    fields = [
        f"  {field}{'' if field in required else '?'}: {_type_of(schema)};"
        for field, schema in model.get("properties", {}).items()
    ]
    return "\n".join([*_comment(model), f"export interface {name} {{", *fields, "}"])


def _comment(model: Schema) -> list[str]:
    lines = model.get("description", "").splitlines()
    if len(lines) < 2:
        return [f"/** {line} */" for line in lines]
    return ["/**", *[f" * {line}".rstrip() for line in lines], " */"]


def _type_of(schema: Schema) -> str:
    match schema:
        case {"$ref": str(name)}:
            return _name(name)
        case {"const": value}:
            return json.dumps(value, ensure_ascii=False)
        case {"enum": values}:
            return " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
        case {"anyOf": options}:
            return " | ".join(_type_of(option) for option in options)
        case {"type": "array", "items": items}:
            item = _type_of(items)
            return f"({item})[]" if " | " in item else f"{item}[]"
        case {"type": str(plain)} if plain in _PLAIN:
            return _PLAIN[plain]
    raise ValueError(f"no TypeScript for {schema}")


def _name(name: str) -> str:
    """What is taken and given in two shapes has two names: `StoredFile-Input` is `StoredFileInput`."""
    return name.replace("-", "")


if __name__ == "__main__":
    TARGET.write_text(write_contracts())
    sys.stdout.write(f"{TARGET}\n")
