"""private.validate_json: which values fit which schemas, and what is said of those that do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.sql.factories import Queue, refused

TREE = {
    "$ref": "#/$defs/Node",
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "n": {"type": "integer"}}}},
}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "maxItems": 2},
        "age": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None},
        "at": {"anyOf": [{"type": "object", "required": ["street"]}, {"type": "null"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def queue(shared_queue: Queue) -> Queue:
    return shared_queue


def validate(queue: Queue, schema: Any, value: Any) -> None:
    queue.owner.execute("select private.validate_json(%s, %s)", [Jsonb(schema), Jsonb(value)])


@pytest.mark.parametrize(
    "value",
    [{"name": "Ana"}, {"name": "Ana", "age": None, "tags": []}, {"name": "ã", "age": 3.0, "at": {"street": 1}}],
)
def test_what_fits_is_accepted(queue: Queue, value: Any) -> None:
    validate(queue, PERSON, value)


@pytest.mark.parametrize(
    ("value", "field", "problem"),
    [
        ([], "", "input must be object"),
        ({}, "name", "name is missing"),
        ({"name": 1}, "name", "name must be string"),
        ({"name": ""}, "name", "name is too short"),
        ({"name": "a", "tags": ["x", "y", "z"]}, "tags", "tags has too many items"),
        ({"name": "a", "tags": ["x", "Y"]}, "tags[1]", "tags[1] has the wrong form"),
        ({"name": "a", "age": -1}, "age", "age fits none of the allowed forms"),
        ({"name": "a", "at": {}}, "at.street", "at.street is missing"),
        ({"name": "a", "colour": 1}, "colour", "colour is not allowed"),
        ({"name": "a", "né\r\nSet-Cookie: x": 1}, "?", "? is not allowed"),
        ({"name": "a", "x" * 41: 1}, "?", "? is not allowed"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(queue: Queue, value: Any, field: str, problem: str) -> None:
    with refused("PT400", f"invalid input: {problem}") as told:
        validate(queue, PERSON, value)
    assert json.loads(told.detail) == {"field": field}


def test_a_null_schema_accepts_everything(queue: Queue) -> None:
    queue.owner.execute("select private.validate_json(null, '[1]')")


def test_definitions_may_refer_to_themselves(queue: Queue) -> None:
    validate(queue, TREE, {"next": {"next": {"n": 1}}})
    with refused("PT400", r"next.next.n must be integer"):
        validate(queue, TREE, {"next": {"next": {"n": "1"}}})


def test_what_is_nested_too_deeply_is_refused_before_the_stack_ends(queue: Queue) -> None:
    value = '{"next":' * 3000 + "{}" + "}" * 3000
    with refused("PT400", "is nested too deeply") as told:
        queue.owner.execute("select private.validate_json(%s, %s::jsonb)", [Jsonb(TREE), value])
    assert len(told.message) < 200


def test_a_message_is_short_ascii_and_free_of_values(queue: Queue) -> None:
    with refused("PT400", "name is not one of the allowed values") as told:
        validate(queue, {"properties": {"name": {"enum": ["ã"]}}}, {"name": "segredo"})
    assert "segredo" not in told.message + told.detail
