"""What a function raises as PTxyz reaches the status line as recorded, except for line breaks."""

from __future__ import annotations

import json

import httpx
import psycopg
import pytest

from tests.contract.rest.recordings import TRUTH
from tests.contract.rest.server import serving
from tests.databases import Databases

pytestmark = pytest.mark.anyio

MESSAGES = {
    "raw PT429 plain": "slow down",
    "raw PT429 non-ascii message": "zu schnell – übel 😀",
    "raw PT429 empty message": "",
}
FUNCTION = """
create function public.raise_429(m text) returns int language plpgsql as $$ begin
    raise sqlstate 'PT429' using message = m, detail = 'd';
end $$
"""


async def ask(databases: Databases, database: str, message: str) -> tuple[bytes, str]:
    """The reason phrase as it came, and the body."""
    with psycopg.connect(databases.url(database)) as connection:
        connection.execute(FUNCTION)
    async with serving(databases, database) as client:
        response = await client.post("/rpc/raise_429", json={"m": message})
    reason = response.extensions["reason_phrase"]
    assert isinstance(reason, bytes)
    return reason, response.text


@pytest.mark.parametrize("name", MESSAGES)
async def test_message_becomes_the_reason_phrase(databases: Databases, recorded: str, name: str) -> None:
    lines = (TRUTH / "d_extra.jsonl").read_text().splitlines()
    raw: str = next(line["result"] for line in map(json.loads, lines) if line["name"] == name)
    head, _, body = raw.partition("\r\n\r\n")
    status_line = head.partition("\r\n")[0].encode("latin-1")
    reason, answered = await ask(databases, recorded, MESSAGES[name])
    assert b"HTTP/1.1 429 " + reason == status_line
    assert json.loads(answered) == json.loads(body.encode("latin-1"))


@pytest.mark.parametrize("message", ["line1\nX-Injected: yes\nline3", "line1\r\nX-Injected: yes"])
async def test_only_the_first_line_of_a_message_becomes_the_reason_phrase(
    databases: Databases, recorded: str, message: str
) -> None:
    reason, body = await ask(databases, recorded, message)
    assert reason == b"line1"
    assert json.loads(body)["message"] == message


async def test_line_break_in_a_header_of_a_function_becomes_a_space(databases: Databases, recorded: str) -> None:
    async with serving(databases, recorded) as client:
        detail = {"status": 402, "headers": {"X-Why": "one\r\nX-Injected: yes"}}
        raised = {"m": json.dumps({"code": "C", "message": "m"}), "d": json.dumps(detail)}
        response: httpx.Response = await client.post("/rpc/raise_pgrst", json=raised)
    assert response.headers["x-why"] == "one X-Injected: yes"
    assert "x-injected" not in response.headers
