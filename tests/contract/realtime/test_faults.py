"""Every fault does what it says, to a bare client, and ends when it is ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from supabase_local.realtime import Faults
from tests.contract.realtime.server import JOBS, Client, RealtimeServer, connected, running_realtime, token
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_INSERT = f"insert into public.{JOBS} (n) values (%s)"
_SEND = "select realtime.send(jsonb_build_object('n', %s::int), 'job', 'bell')"
_CHANGES = "realtime:changes"
_BELL = "realtime:bell"


async def _switch(server: RealtimeServer, **wish: object) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.post(f"{server.url.replace('ws:', 'http:')}/_faults", json=wish)


async def _subscribe(client: Client) -> None:
    await client.subscribe(_CHANGES)
    await client.open(_BELL, private=True, broadcast={"replication_ready": True})
    assert (await client.receive_event("system"))["status"] == "ok"


async def _happen(server: RealtimeServer, number: int) -> None:
    await server.execute(_INSERT, number)
    await server.execute(_SEND, number)


async def _heard(client: Client) -> list[int]:
    """The number of the next change, and of the message behind it."""
    change = (await client.receive_event("postgres_changes"))["data"]["record"]["n"]
    return [change, (await client.receive_event("broadcast"))["payload"]["n"]]


async def test_a_silent_server_answers_everything_and_delivers_nothing(databases: Databases) -> None:
    async with running_realtime(databases, faults=Faults()) as server, connected(server) as client, asyncio.timeout(10):
        await _switch(server, silent=True)
        await _subscribe(client)
        await _happen(server, 1)
        change = asyncio.create_task(client.receive_event("postgres_changes"))
        done, _ = await asyncio.wait({change}, timeout=0.5)
        assert done == set()
        await _switch(server, silent=False)
        await _happen(server, 2)
        assert (await change)["data"]["record"]["n"] == 2
        assert (await client.receive_event("broadcast"))["payload"]["n"] == 2


async def test_deafened_channels_hear_again_only_with_a_new_token_or_a_new_join(databases: Databases) -> None:
    faults = Faults()
    async with (
        running_realtime(databases, faults=faults) as server,
        connected(server) as client,
        connected(server) as witness,
        asyncio.timeout(10),
    ):
        await _subscribe(client)
        await _switch(server, deafen=True)
        await _subscribe(witness)
        await _happen(server, 1)
        assert await _heard(witness) == [1, 1]
        assert await client.heartbeat() == []
        await client.subscribe(_CHANGES)
        await client.send(_BELL, "access_token", {"access_token": token(role="service_role", jti="2")})
        await client.heartbeat()
        await _happen(server, 2)
        assert await _heard(client) == [2, 2]


async def test_joins_are_closed_for_a_while(databases: Databases) -> None:
    async with running_realtime(databases, faults=Faults()) as server, connected(server) as client, asyncio.timeout(10):
        await _switch(server, close_joins=True)
        for _ in range(2):
            assert (await client.open(_BELL))["status"] == "ok"
            assert await client.receive_event("phx_close") == {}
        await _switch(server, close_joins=False)
        await _subscribe(client)


async def test_handshakes_are_refused_for_a_while(databases: Databases) -> None:
    async with running_realtime(databases, faults=Faults()) as server, connected(server) as client, asyncio.timeout(10):
        await _switch(server, refuse=True)
        with pytest.raises(InvalidStatus) as refused:
            await connected(server).__aenter__()
        assert refused.value.response.status_code == 503
        assert await client.heartbeat() == []
        await _switch(server, refuse=False)
        async with connected(server) as late:
            assert await late.heartbeat() == []


@pytest.mark.parametrize(("how", "code"), [("close", 1012), ("abort", None)])
async def test_all_connections_are_dropped_at_once(databases: Databases, how: str, code: int | None) -> None:
    async with (
        running_realtime(databases, faults=Faults()) as server,
        connected(server) as first,
        connected(server) as second,
        asyncio.timeout(10),
    ):
        await asyncio.gather(first.heartbeat(), second.heartbeat(), _switch(server))
        await _switch(server, drop=how)
        for client in (first, second):
            with pytest.raises(ConnectionClosed) as closed:
                await client.receive()
            assert (closed.value.rcvd and closed.value.rcvd.code) == code
        async with connected(server) as late:
            assert await late.heartbeat() == []


async def test_a_frozen_server_answers_nothing_until_it_thaws(databases: Databases) -> None:
    async with running_realtime(databases, faults=Faults()) as server, connected(server) as client, asyncio.timeout(10):
        await _subscribe(client)
        await _switch(server, freeze=True)
        await _happen(server, 1)
        answered = await client.socket.ping()
        heartbeat = asyncio.create_task(client.heartbeat())
        late = asyncio.create_task(connected(server).__aenter__())
        done, _ = await asyncio.wait({heartbeat, late, asyncio.ensure_future(answered)}, timeout=0.3)
        assert done == set()
        await _switch(server, freeze=False)
        assert [frame["event"] for frame in await heartbeat] == ["postgres_changes", "broadcast"]
        await answered
        await (await late).socket.close()


async def test_a_frozen_server_leaves_a_close_unanswered_and_can_still_be_stopped(databases: Databases) -> None:
    faults = Faults()
    async with running_realtime(databases, faults=faults) as server, asyncio.timeout(20):
        async with connected(server) as client:
            await client.heartbeat()
            faults.freeze = True
            client.socket.close_timeout = 0.2
        assert client.socket.close_code == 1006
        waiting = asyncio.create_task(connected(server).__aenter__())
        await asyncio.wait({waiting}, timeout=0.2)
        assert not waiting.done()
        await server.runner.cleanup()
        with suppress(ConnectionClosed, OSError, InvalidStatus):
            await (await waiting).socket.close()


async def test_an_unknown_fault_is_refused(databases: Databases) -> None:
    async with running_realtime(databases, faults=Faults()) as server:
        assert (await _switch(server, slient=True)).status_code == 400
        assert (await _switch(server, freeze=False, silent=True)).json() == {
            "silent": True,
            "close_joins": False,
            "refuse": False,
            "freeze": False,
            "sockets": 0,
        }


async def test_without_faults_there_is_no_control(databases: Databases) -> None:
    async with running_realtime(databases) as server:
        assert (await _switch(server, silent=True)).status_code == 404
