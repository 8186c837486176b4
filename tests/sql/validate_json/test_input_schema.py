"""analysis_types.input_schema holds only schemas that can be checked in full."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.sql.factories import Queue

NESTED = {"properties": {"a": {"items": {"anyOf": [{"multipleOf": 2}]}}}}


@pytest.fixture(scope="module")
def queue(shared_queue: Queue) -> Queue:
    shared_queue.new_type("echo")
    return shared_queue


def store(queue: Queue, schema: Any) -> None:
    queue.owner.execute("update public.analysis_types set input_schema = %s where type = 'echo'", [Jsonb(schema)])


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"multipleOf": 2}, "#/multipleOf"),
        (NESTED, "#/properties/a/items/anyOf/0/multipleOf"),
        ({"$defs": {"A": {"oneOf": []}}}, "#/$defs/A/oneOf"),
        ({"properties": {"a": {"$defs": {}}}}, "#/properties/a/$defs"),
        ({"properties": {"a": 1}}, "#/properties/a"),
        ({"additionalProperties": {"not": {}}}, "#/additionalProperties/not"),
        ({"type": "text"}, "#/type"),
        ({"type": []}, "#/type"),
        ({"type": ["string", "text"]}, "#/type"),
        ({"required": "a"}, "#/required"),
        ({"required": [1]}, "#/required"),
        ({"enum": "a"}, "#/enum"),
        ({"anyOf": []}, "#/anyOf"),
        ({"items": [{}]}, "#/items"),
        ({"minLength": -1}, "#/minLength"),
        ({"maxItems": 1.5}, "#/maxItems"),
        ({"minimum": "1"}, "#/minimum"),
        ({"pattern": "["}, "#/pattern"),
        ({"$ref": "#/$defs/Missing"}, "#/$ref"),
        ({"$ref": "https://example.org/schema"}, "#/$ref"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, "#/$defs/A refers to itself"),
        ({"$defs": {"A": {"anyOf": [{"$ref": "#/$defs/B"}]}, "B": {"$ref": "#/$defs/A"}}}, "refers to itself"),
    ],
)
def test_a_schema_that_cannot_be_checked_is_refused(queue: Queue, schema: Any, place: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        store(queue, schema)
    assert refused.value.diag.constraint_name == "analysis_types_input_schema_is_supported"
    assert place in (refused.value.diag.message_detail or "")


def test_a_new_type_is_checked_too(queue: Queue) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        queue.new_type("other", input_schema={"multipleOf": 2})


def test_a_service_edits_schemas_and_is_checked(queue: Queue) -> None:
    service = queue.worker()
    statement = "update public.analysis_types set input_schema = %s where type = 'echo'"
    service.execute(statement, [Jsonb({"type": "object", "format": "x", "examples": [1]})])
    with pytest.raises(psycopg.errors.CheckViolation):
        service.execute(statement, [Jsonb({"multipleOf": 2})])
