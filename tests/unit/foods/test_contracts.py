"""Inputs are checked in SQL when a job is enqueued, by a validator that knows only some of JSON schema."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from maxnutrition.contracts.meal_plan import MealPlanInput
from maxnutrition.contracts.sofia_text import SofiaTextInput

KNOWN = {
    *("title", "description", "default", "examples", "const", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "type", "enum", "required", "pattern"),
    *("anyOf", "properties", "$defs", "items", "additionalProperties", "$ref"),
}


def keywords(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    yield from schema
    for name, part in schema.items():
        inner = part.values() if name in {"properties", "$defs"} else part if isinstance(part, list) else [part]
        for each in inner if name not in {"enum", "required", "default"} else []:
            yield from keywords(each)


@pytest.mark.parametrize("model", [SofiaTextInput, MealPlanInput])
def test_input_schemas_use_only_what_the_database_can_check(model: type[BaseModel]) -> None:
    used = set(keywords(model.model_json_schema()))
    assert "properties" in used
    assert used - KNOWN == set()
