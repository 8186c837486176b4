"""Nothing that a caller can send makes the layer fail or hang."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.rest.recordings import TRUTH
from tests.contract.rest.server import recorded_database, serving
from tests.databases import Databases

Ask = Callable[..., httpx.Response]
TIMEOUT_S = 5.0  # more than any of these functions takes
EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FUNCTIONS = (
    "add_them",
    "take_jsonb",
    "take_text",
    "take_arr",
    "take_item",
    "take_ts",
    "raw_json",
    "variadic_sum",
    "ovl",
)
OPERATORS = (
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "like",
    "ilike",
    "match",
    "in",
    "is",
    "cs",
    "cd",
    "ov",
    "not.eq",
    "zz",
)
COLUMNS = ("id", "name", "qty", "tags", "meta", "meta->k", "meta->>k", "due", "nope", "or", "and", "not.or", "select")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abtpiv") | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
words = st.text(max_size=10) | st.sampled_from(
    ["(id.eq.1)", "(id.eq.1,or(qty.gt.2,name.in.(a,b)))", "{a}", "null", "(1,2)", "*"]
)
values = words | st.builds("{}.{}".format, st.sampled_from(OPERATORS), words)
names = st.sampled_from([*COLUMNS, "order", "limit", "offset", "columns", "on_conflict"]) | st.text(max_size=6)
queries = st.lists(st.tuples(names, values), max_size=2)


@pytest.fixture(scope="module")
def ask(databases: Databases) -> Iterator[Ask]:
    if not TRUTH.exists():
        pytest.skip("no recordings beside the repository")
    with (
        recorded_database(databases) as database,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(databases, database)) as client,
    ):

        def request(method: str, url: str, **more: Any) -> httpx.Response:
            return portal.call(partial(client.request, method, url, timeout=TIMEOUT_S, **more))

        yield request


@EXAMPLES
@given(function=st.sampled_from(FUNCTIONS), body=anything)
def test_any_json_is_an_argument_or_a_mistake_of_the_caller(ask: Ask, function: str, body: object) -> None:
    response = ask("POST", f"/rpc/{function}", content=json.dumps(body), headers={"content-type": "application/json"})
    assert response.status_code < 500, response.text


@EXAMPLES
@given(body=st.binary(max_size=20), kind=st.sampled_from(["application/json", "text/plain", "text/csv", "x", ""]))
def test_any_bytes_are_a_body_or_a_mistake_of_the_caller(ask: Ask, body: bytes, kind: str) -> None:
    for path in ("/rpc/add_them", "/rpc/raw_text", "/parts"):
        assert ask("POST", path, content=body, headers={"content-type": kind}).status_code < 500


@EXAMPLES
@given(query=queries)
def test_any_query_is_answered_or_a_mistake_of_the_caller(ask: Ask, query: list[tuple[str, str]]) -> None:
    for path in ("/items", "/rpc/ret_items"):
        response = ask("GET", path, params=query)
        assert response.status_code < 500, response.text


@EXAMPLES
@given(rows=anything, query=queries)
def test_any_change_is_made_or_a_mistake_of_the_caller(ask: Ask, rows: object, query: list[tuple[str, str]]) -> None:
    headers = {"content-type": "application/json", "prefer": "return=representation, resolution=merge-duplicates"}
    for method in ("POST", "PATCH"):
        response = ask(method, "/parts", params=query, content=json.dumps(rows), headers=headers)
        assert response.status_code < 500 or response.json()["code"] == "21000", response.text
