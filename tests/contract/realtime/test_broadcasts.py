"""What the recordings do not show of broadcasts: tokens that change, and messages of clients."""

from __future__ import annotations

import asyncio

import pytest

from supabase_local.realtime import RealtimeOptions
from tests.contract.realtime.server import (
    JOBS,
    ONE_TABLE,
    Client,
    RealtimeServer,
    connected,
    running_realtime,
    token,
)
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_OWNER = "11111111-1111-4111-8111-111111111111"
_OTHER = "22222222-2222-4222-8222-222222222222"
_TOPIC = f"user:{_OWNER}"
_SEND = "select realtime.send(jsonb_build_object('n', %s::int), 'job', %s, %s)"
_READ_OWN = """
set role postgres;
create policy read_own on realtime.messages for select to authenticated
    using (realtime.topic() = 'user:' || (select auth.uid()));
"""
_WRITE_OWN = """
create policy write_own on realtime.messages for insert to authenticated
    with check (realtime.topic() = 'user:' || (select auth.uid()) and extension = 'broadcast');
"""
_FORBIDDEN = f"You do not have permissions to read from this Channel topic: {_TOPIC}"
_SAID = {"type": "broadcast", "event": "said", "payload": {"n": 1}}
_FAST = RealtimeOptions(join_refusal_delay_s=0.05, refresh_delay_s=0.05)


def _user(subject: str = _OWNER, jti: str = "1") -> str:
    return token(role="authenticated", sub=subject, jti=jti)


async def _listen(client: Client, access_token: str | None = None, *, private: bool = True, **broadcast: bool) -> None:
    config = {"private": private, "broadcast": {"replication_ready": True, **broadcast}}
    assert (await client.open(f"realtime:{_TOPIC}", access_token, **config))["status"] == "ok"
    assert (await client.receive_event("system"))["message"] == "Replication connection established"


async def _send(server: RealtimeServer, number: int, *, private: bool = True) -> None:
    await server.execute(_SEND, number, _TOPIC, private)


async def _heard(client: Client) -> int:
    number: int = (await client.receive_event("broadcast"))["payload"]["n"]
    return number


async def test_a_new_token_of_the_same_user_keeps_the_topic(databases: Databases) -> None:
    async with (
        running_realtime(databases, _READ_OWN, _FAST) as server,
        connected(server) as client,
        asyncio.timeout(10),
    ):
        await _listen(client, _user())
        await client.send(f"realtime:{_TOPIC}", "access_token", {"access_token": _user(jti="2")})
        await client.heartbeat()
        await _send(server, 1)
        assert await _heard(client) == 1


@pytest.mark.parametrize("subject", [_OTHER, _OWNER])
async def test_a_new_token_that_may_not_read_ends_the_channel(databases: Databases, subject: str) -> None:
    async with (
        running_realtime(databases, _READ_OWN, _FAST) as server,
        connected(server) as client,
        asyncio.timeout(10),
    ):
        await _listen(client, _user())
        if subject == _OWNER:
            await server.execute("drop policy read_own on realtime.messages")
        await client.send(f"realtime:{_TOPIC}", "access_token", {"access_token": _user(subject, jti="2")})
        told = await client.receive_event("system")
        assert (told["status"], told["extension"], told["message"]) == ("error", "system", _FORBIDDEN)
        assert await client.receive_event("phx_close") == {}


@pytest.mark.parametrize(("condition", "refused"), [("extension = 'presence'", False), ("1 / 0 = 1", True)])
async def test_a_policy_for_presence_alone_lets_in_and_one_that_fails_does_not(
    databases: Databases, condition: str, refused: bool
) -> None:
    policy = f"create policy one on realtime.messages for select to authenticated using ({condition})"
    async with running_realtime(databases, policy, _FAST) as server, connected(server) as client, asyncio.timeout(10):
        joined = await client.open(f"realtime:{_TOPIC}", _user(), private=True)
        assert joined["status"] == ("error" if refused else "ok")
        assert joined["response"].get("reason") == (f"Unauthorized: {_FORBIDDEN}" if refused else None)
        async with connected(server) as witness:
            await _listen(witness)
            await _send(server, 1)
            assert await _heard(witness) == 1
        assert await client.heartbeat() == []


async def test_a_private_topic_cannot_be_joined_while_the_database_is_away(databases: Databases) -> None:
    async with running_realtime(databases, options=_FAST) as server, connected(server) as client, asyncio.timeout(10):
        await _listen(client)
        await server.execute("update pg_database set datallowconn = false where datname = current_database()")
        refused = await client.open("realtime:another", private=True)
    reason = "UnableToConnectToProject: Realtime was unable to connect to the project database"
    assert refused == {"status": "error", "response": {"reason": reason}}


async def test_a_message_that_may_not_be_sent_leaves_its_transaction_alone(databases: Databases) -> None:
    grants = (
        f"{ONE_TABLE}; grant all on public.{JOBS} to service_role; revoke insert on realtime.messages from service_role"
    )
    async with running_realtime(databases, grants) as server, connected(server) as client, asyncio.timeout(10):
        await _listen(client)
        await client.open("realtime:changes", postgres_changes=[{"event": "INSERT", "schema": "public", "table": JOBS}])
        assert (await client.receive_event("system"))["status"] == "ok"
        send = f"select realtime.send('{{}}', 'job', '{_TOPIC}')"
        await server.execute(f"begin; set local role service_role; {send}; insert into {JOBS} (n) values (7); commit")
        assert (await client.receive_event("postgres_changes"))["data"]["record"]["n"] == 7
        assert await client.heartbeat() == []


async def test_on_a_public_topic_clients_talk_to_each_other(databases: Databases) -> None:
    async with (
        running_realtime(databases) as server,
        connected(server, token(role="anon")) as speaker,
        connected(server, token(role="anon")) as echoing,
        connected(server) as private,
        asyncio.timeout(10),
    ):
        await _listen(speaker, private=False, ack=True)
        await _listen(echoing, private=False, self=True)
        await _listen(private)
        await speaker.send(f"realtime:{_TOPIC}", "broadcast", _SAID)
        assert await speaker.receive_event("phx_reply") == {"status": "ok", "response": {}}
        assert await echoing.receive_event("broadcast") == _SAID
        await echoing.send(f"realtime:{_TOPIC}", "broadcast", _SAID)
        assert await echoing.receive_event("broadcast") == _SAID
        assert await speaker.receive_event("broadcast") == _SAID
        assert [await client.heartbeat() for client in (speaker, echoing, private)] == [[], [], []]


@pytest.mark.parametrize("may_write", [True, False])
async def test_on_a_private_topic_clients_talk_where_a_policy_lets_them(databases: Databases, may_write: bool) -> None:
    policies = _READ_OWN + (_WRITE_OWN if may_write else "")
    async with (
        running_realtime(databases, policies) as server,
        connected(server) as speaker,
        connected(server) as client,
        asyncio.timeout(10),
    ):
        await _listen(speaker, _user(), self=True)
        await _listen(client)
        await speaker.send(f"realtime:{_TOPIC}", "broadcast", _SAID)
        if may_write:
            assert await client.receive_event("broadcast") == _SAID
            assert await speaker.receive_event("broadcast") == _SAID
        await _send(server, 2)
        assert [await _heard(client), await _heard(speaker)] == [2, 2]
