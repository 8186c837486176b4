"""Every recorded request for a table is answered as the real server did, but for what no client of ours asks."""

import json

import psycopg
import pytest

from tests.contract.rest.recordings import Case, parameters, read_recording
from tests.contract.rest.server import Replayed, serving
from tests.databases import Databases

FILE = "b_rest.jsonl"
CASES = read_recording(FILE)
NOT_COVERED = {
    28: "embedding of related tables is left out",
    29: "embedding of related tables is left out",
    36: "a planned count is answered exactly, not with the planner's guess",
    94: "PUT is left out: supabase-py and supabase-js upsert by POST",
    95: "PUT is left out: supabase-py and supabase-js upsert by POST",
    96: "PUT is left out: supabase-py and supabase-js upsert by POST",
    139: "query plans are left out, and so is their long media type in the refusal",
}


@pytest.mark.parametrize("case", parameters(CASES, NOT_COVERED))
def test_table_request_is_answered_as_recorded(replayed: Replayed, case: Case) -> None:
    assert case.answer is not None
    got, recorded = replayed(FILE, case).comparable(), case.answer.comparable()
    if case.path == "/" and recorded.status == 200:  # of this long document, only the version and two counts were kept
        document = json.loads(got.body)
        assert [document["info"]["version"], len(document["definitions"])] == json.loads(recorded.body)[:2]
        assert (got.status, got.headers) == (recorded.status, recorded.headers)
    else:
        assert got == recorded


@pytest.mark.anyio
async def test_change_returns_only_columns_that_are_selected(databases: Databases, recorded: str) -> None:
    with psycopg.connect(databases.url(recorded)) as connection:
        connection.execute("revoke select on public.items from anon; grant select (id, qty) on public.items to anon")
    headers = {"prefer": "return=representation"}
    async with serving(databases, recorded) as client:
        shown = await client.post(
            "/items", params={"select": "qty", "order": "id"}, json={"name": "x"}, headers=headers
        )
        hidden = await client.post("/items", params={"select": "name"}, json={"name": "y"}, headers=headers)
    assert (shown.status_code, shown.text) == (201, '[{"qty":0}]')
    assert (hidden.status_code, hidden.json()["code"]) == (401, "42501")


@pytest.mark.skipif(not CASES, reason="no recordings beside the repository")
def test_what_is_not_covered_is_what_its_reasons_say() -> None:
    left_out = [case.name for case in CASES if case.line in NOT_COVERED]
    assert left_out == [
        "embed", "embed many", "count=planned", "PUT upsert", "PUT mismatch", "PUT without filter", "explain off",
    ]  # fmt: skip
