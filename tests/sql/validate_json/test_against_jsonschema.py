"""private.validate_json agrees with the reference implementation, on schemas built from the keywords it checks."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from psycopg.types.json import Jsonb

from tests.sql.factories import Queue

# Few names, few letters and small numbers, so that values often meet what schemas ask for.
NAMES = st.sampled_from(["a", "b", "c"])
STRINGS = st.text("ab1é ", max_size=4)
NUMBERS = st.integers(-3, 4) | st.integers(-6, 8).map(lambda n: n / 2)
SCALARS = st.none() | st.booleans() | NUMBERS | STRINGS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])
SIZES = st.integers(0, 3)
PATTERNS = st.sampled_from(["^a", "b$", "^[a-z]+$", "[0-9]", "^(ab|1)*$", r"^\d+$", "é"])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A schema of any of our keywords, its parts from `inner`."""
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "enum": st.lists(VALUES, max_size=3),
            "const": VALUES,
            "anyOf": st.lists(inner, min_size=1, max_size=3),
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "minItems": SIZES,
            "maxItems": SIZES,
            "minLength": SIZES,
            "maxLength": SIZES,
            "pattern": PATTERNS,
            "minimum": NUMBERS,
            "maximum": NUMBERS,
            "exclusiveMinimum": NUMBERS,
            "exclusiveMaximum": NUMBERS,
            "title": STRINGS,
            "default": VALUES,
        },
    )


# Schemas with all keywords at once fit nothing; two or three are what a model has per field.
def thinned(schemas: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return schemas.flatmap(
        lambda schema: st.lists(st.sampled_from(sorted(schema) or ["type"]), max_size=3, unique=True).map(
            lambda kept: {keyword: schema[keyword] for keyword in kept if keyword in schema}
        )
    )


REFERENCES = st.sampled_from([{"$ref": "#/$defs/Leaf"}, {"$ref": "#/$defs/Tree"}])
PARTS = st.recursive(st.just({}) | REFERENCES, lambda inner: thinned(keywords(inner)), max_leaves=6)
# Tree comes back to itself only through a step down, as models do.
SCHEMAS = st.builds(
    lambda root, leaf: (
        root
        | {
            "$defs": {
                "Leaf": leaf,
                "Tree": {"type": ["object", "integer"], "additionalProperties": {"$ref": "#/$defs/Tree"}},
            }
        }
    ),
    PARTS,
    thinned(keywords(st.just({}))),
)


@pytest.fixture(scope="module")
def queue(shared_queue: Queue) -> Queue:
    return shared_queue


def fits(queue: Queue, schema: Any, value: Any) -> bool:
    try:
        queue.owner.execute("select private.validate_json(%s, %s)", [Jsonb(schema), Jsonb(value)])
    except psycopg.Error as error:
        if error.sqlstate != "PT400":
            raise
        return False
    return True


def test_it_accepts_exactly_what_the_reference_accepts(queue: Queue) -> None:
    verdicts: list[bool] = []

    @settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(SCHEMAS, VALUES)
    def agree(schema: dict[str, Any], value: Any) -> None:
        verdict = Draft202012Validator(schema).is_valid(value)
        verdicts.append(verdict)
        assert fits(queue, schema, value) is verdict

    agree()
    assert min(verdicts.count(True), verdicts.count(False)) > 10, "both verdicts have to be common"


def test_every_such_schema_can_be_stored(queue: Queue) -> None:
    queue.new_type("stored")

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(SCHEMAS)
    def store(schema: dict[str, Any]) -> None:
        queue.owner.execute("update public.analysis_types set input_schema = %s where type = 'stored'", [Jsonb(schema)])

    store()
