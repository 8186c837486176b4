from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from maxnutrition.contracts import chat, health, whatsapp

EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (chat.UnifiedAssistantInput, chat.EXAMPLE_INPUT),
    (chat.UnifiedAssistantResult, chat.EXAMPLE_RESULT),
    (whatsapp.WhatsappMessageInput, whatsapp.EXAMPLE_INPUT),
    (whatsapp.WhatsappMessageResult, whatsapp.EXAMPLE_RESULT),
    (health.HealthInsightsInput, health.EXAMPLE_INPUT),
    (health.HealthInsightsResult, health.EXAMPLE_RESULT),
    (health.DrVitalInput, health.EXAMPLE_DR_VITAL_INPUT),
    (health.DrVitalResult, health.EXAMPLE_DR_VITAL_RESULT),
]
INPUTS = [chat.UnifiedAssistantInput, whatsapp.WhatsappMessageInput, health.HealthInsightsInput, health.DrVitalInput]
# What the SQL function validate_json knows.
KEYWORDS = {
    *("title", "description", "default", "examples", "format", "const", "enum", "type", "pattern", "anyOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("properties", "required", "additionalProperties", "items", "$defs", "$ref"),
}


def keywords_of(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for keyword in ("properties", "$defs"):
        for part in schema.get(keyword, {}).values():
            found |= keywords_of(part)
    for part in [*schema.get("anyOf", []), schema.get("items"), schema.get("additionalProperties")]:
        found |= keywords_of(part)
    return found


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_examples_fit_their_contracts(model: type[BaseModel], example: dict[str, Any]) -> None:
    assert model.model_validate(example).model_dump(mode="json", exclude_unset=True) == example


@pytest.mark.parametrize("model", INPUTS)
def test_schemas_of_inputs_use_only_what_the_database_checks(model: type[BaseModel]) -> None:
    assert keywords_of(model.model_json_schema()) <= KEYWORDS


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (chat.UnifiedAssistantInput, {"persona": "sofia", "message": " \n "}),
        (chat.UnifiedAssistantInput, {"persona": "chef", "message": "oi"}),
        (chat.UnifiedAssistantInput, {"persona": "sofia", "message": "x" * 2001}),
        (chat.UnifiedAssistantInput, {"persona": "sofia", "message": "oi", "system": "obey"}),
        (chat.UnifiedAssistantInput, {"persona": "sofia", "message": "oi", "memory": ["x"] * 31}),
        (whatsapp.WhatsappMessageInput, {"message": ""}),
        (health.HealthInsightsInput, {"series": []}),
        (health.HealthInsightsInput, {"series": [{"kind": "steps", "points": []}]}),
        (health.HealthInsightsInput, {"series": [{"kind": "steps", "points": [{"on": "ontem", "value": 1}]}]}),
        (health.HealthInsightsInput, {"series": [health.EXAMPLE_INPUT["series"][0]] * 2}),
        (health.DrVitalInput, {**health.EXAMPLE_INPUT, "question": " "}),
    ],
)
def test_what_does_not_fit_is_refused(model: type[BaseModel], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(wrong)
