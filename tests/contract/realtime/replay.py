"""Plays a recording's client against our server and compares what comes back.

What is sent is what was recorded, with fresh tokens. What happened in the database is read from the recorded changes:
each is made to happen when the replay first meets it, unless `Case.steps` made it before. What is received is compared
between any two things that the client or the database does, topic by topic in order. Left open is only what the real
server leaves open: the order across topics, and where the presence state and the news of replication fall.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from supabase_local.realtime import RealtimeOptions
from tests.contract.realtime.server import SECRET, RealtimeServer, connected, token
from tests.contract.realtime.transcript import Entry, Frame, Ids, comparable, identify, parse_frame, recorded_changes

_JWT = re.compile(r"<jwt role=(\w+)(?:,sub=([\w-]+))?,exp=(-?\d+)s>")
_FRAMES_WITHIN_S = 10
_LARGE_KIB = 1100
_HEARTBEATS = {
    "1.0.0": '{"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "end"}',
    "2.0.0": '[null, "end", "phoenix", "heartbeat", {}]',
}


@dataclass(frozen=True, slots=True)
class Case:
    """How one recording is played.

    `steps` are SQL statements, or `row <id>` for a recorded row, run at the note with that text; `steps_before` are
    run before what was recorded at that time. `keys` are apikeys by
    the recording's "case" note, `None` for none; `secrets` sign the join tokens of a case. `lifetimes` shorten tokens,
    by recorded seconds. `skipped` are the times of entries that the recording's surroundings caused, `unrecorded` the
    frames that answer its only join but were left out of it.
    """

    options: RealtimeOptions = field(default_factory=RealtimeOptions)
    steps: Mapping[str, Sequence[str]] = field(default_factory=dict)
    steps_before: Mapping[float, Sequence[str]] = field(default_factory=dict)
    keys: Mapping[str, str | None] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    lifetimes: Mapping[str, float] = field(default_factory=dict)
    skipped: frozenset[float] = frozenset()
    unrecorded: Sequence[str] = ()
    closed_by_server: bool = False


@dataclass(slots=True)
class _Connection:
    socket: ClientConnection
    heartbeat: str
    expected: list[Frame] = field(default_factory=list)
    asides_expected: list[Frame] = field(default_factory=list)
    asides_received: list[Frame] = field(default_factory=list)

    async def next(self) -> Frame:
        """The next frame whose place is certain."""
        while _comes_any_time(frame := parse_frame(_text(await self.socket.recv()))):
            self.asides_received.append(frame)
        return frame


class Replay:
    def __init__(self, server: RealtimeServer, case: Case, entries: Sequence[Entry]) -> None:
        self._server = server
        self._case = case
        self._entries = [entry for entry in entries if entry.t_ms not in case.skipped]
        self._changes = recorded_changes(self._entries)
        self._made: set[tuple[str, str, str]] = set()
        self._connections: dict[str, _Connection] = {}
        self._ids = Ids()
        self._rejection: tuple[int, Any] | None = None
        self._about = ""
        self._kib = _LARGE_KIB

    async def run(self) -> None:
        for entry in self._entries:
            if entry.t_ms in self._case.steps_before:
                await self._settle()
                await self._take(self._case.steps_before[entry.t_ms])
            match entry.direction:
                case "note":
                    await self._settle()
                    await self._on_note(entry)
                case "send":
                    await self._settle()
                    await self._connections[entry.connection].socket.send(self._with_tokens(entry.text))
                    for text in self._case.unrecorded:
                        await self._on_recv(Entry(entry.t_ms, "recv", text, entry.connection))
                case "recv":
                    await self._on_recv(entry)
                case "http":
                    assert self._rejection == _rejection_in(entry.text), self._about
                case "close":
                    await self._settle()
                    await self._on_close(entry)

    async def _on_note(self, entry: Entry) -> None:
        text = entry.text.strip()
        if text.startswith("case "):
            self._about = text.removeprefix("case ")
        elif text.startswith("connect "):
            await self._connect(entry)
        elif text.startswith("websocket open"):
            assert self._rejection is None, self._about
        size = re.search(r"(\d+) KiB", text)
        self._kib = int(size[1]) if size else _LARGE_KIB
        await self._take(self._case.steps.get(text, ()))

    async def _take(self, steps: Sequence[str]) -> None:
        for step in steps:
            if step.startswith("row "):
                await self._make(next(c for c in self._changes if c[:2] == ("INSERT", step.removeprefix("row "))))
            else:
                await self._server.execute(step)

    async def _connect(self, entry: Entry) -> None:
        version = re.search(r"vsn=([\d.]+)", entry.text)
        key = self._case.keys.get(self._about, token(role="service_role"))
        in_header = "x-api-key header" in self._about
        query = {"vsn": version and version[1], "apikey": None if in_header else key}
        url = f"{self._server.url}/socket/websocket?" + "&".join(f"{k}={v}" for k, v in query.items() if v)
        headers = {"x-api-key": str(key)} if in_header else {}
        self._rejection = None
        try:
            socket = await connect(url, additional_headers=headers, ping_interval=None, max_size=None)
            heartbeat = _HEARTBEATS.get(version[1] if version else "1.0.0", "")
            self._connections[entry.connection] = _Connection(socket, heartbeat)
        except InvalidStatus as refused:
            body = refused.response.body
            self._rejection = refused.response.status_code, json.loads(body) if body else None

    async def _on_recv(self, entry: Entry) -> None:
        frame = parse_frame(entry.text)
        if (change := identify(frame)) is not None and change not in self._made:
            await self._settle()
            await self._make(change)
        connection = self._connections[entry.connection]
        (connection.asides_expected if _comes_any_time(frame) else connection.expected).append(frame)

    async def _on_close(self, entry: Entry) -> None:
        connection = self._connections.pop(entry.connection)
        await self._expect_silence(connection)
        if self._case.closed_by_server:
            async with asyncio.timeout(_FRAMES_WITHIN_S):
                await connection.socket.wait_closed()
        await connection.socket.close()
        assert f"code={connection.socket.close_code}" in entry.text

    async def _settle(self) -> None:
        """Receive all that is expected so far."""
        for connection in self._connections.values():
            expected, connection.expected = connection.expected, []
            received: list[Frame] = []
            try:
                async with asyncio.timeout(_FRAMES_WITHIN_S):
                    received.extend([await connection.next() for _ in expected])
            except (TimeoutError, ConnectionClosed) as error:
                raise AssertionError(f"{self._about}: expected {expected}, then {error!r}") from error
            self._compare(expected, received)

    def _compare(self, expected: Sequence[Frame], received: Sequence[Frame]) -> None:
        ours, theirs = _by_topic(received), _by_topic(expected)
        for topic, frames in theirs.items():
            for recorded, frame in zip(frames, ours.get(topic, []), strict=False):
                self._ids.learn(recorded, frame)
            heard = [comparable(frame) for frame in ours.get(topic, [])]
            assert heard == [comparable(frame, self._ids) for frame in frames]

    async def _expect_silence(self, connection: _Connection) -> None:
        """Everything that was committed has been delivered, and no frame came that the recording does not have."""
        async with asyncio.timeout(_FRAMES_WITHIN_S):
            async with connected(self._server) as fence:
                await fence.subscribe("realtime:fence", table="plain_jobs")
                await self._server.execute("insert into public.plain_jobs (type) values ('fence')")
                await fence.receive_event("postgres_changes")
            await connection.socket.send(connection.heartbeat)
            left = []
            while (frame := await connection.next()).topic != "phoenix":
                left.append(frame)
        assert [frame for frame in left if (frame.change or {}).get("table") != "plain_jobs"] == []
        asides = [sorted(map(repr, frames)) for frames in (connection.asides_received, connection.asides_expected)]
        assert asides[0] == asides[1]

    async def _make(self, change: tuple[str, str, str]) -> None:
        self._made.add(change)
        data = self._changes[change]
        match change:
            case "INSERT", _, _:
                await self._insert(data)
            case "UPDATE", row_id, _:
                statement = f"update public.{data['table']} set status = %s, user_id = %s where id = %s"
                await self._server.execute(statement, data["record"]["status"], data["record"]["user_id"], row_id)
            case _, row_id, _:
                await self._server.execute(f"delete from public.{data['table']} where id = %s", row_id)

    async def _insert(self, data: dict[str, Any]) -> None:
        """Large values are not in the recording: the notes tell the size; one made the other column large as well."""
        record = dict(data["record"])
        if data["errors"] or isinstance(record.get("payload"), str):
            record["payload"] = {"k": random.Random(1).randbytes(self._kib * 512).hex()}
            record.setdefault("type", "x" * 80)
        table = f"public.{data['table']}"
        insert = f"insert into {table} select * from jsonb_populate_record(null::{table}, %s::jsonb)"
        await self._server.execute(insert, json.dumps(record))

    def _with_tokens(self, text: str) -> str:
        secret = self._case.secrets.get(self._about, SECRET)

        def sign(found: re.Match[str]) -> str:
            role, subject, lives_s = found.groups()
            claims = {"role": role, **({"sub": subject} if subject else {})}
            return token(self._case.lifetimes.get(lives_s, float(lives_s)), secret, **claims)

        return _JWT.sub(sign, text)


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else f"0x{frame.hex()}"


def _comes_any_time(frame: Frame) -> bool:
    if frame.event == "system":
        return bool(frame.payload["message"] == "Replication connection established")
    return frame.event == "presence_state"


def _by_topic(frames: Sequence[Frame]) -> dict[str, list[Frame]]:
    topics: dict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        topics[frame.topic].append(frame)
    return topics


def _rejection_in(text: str) -> tuple[int, Any]:
    found = re.search(r"HTTP (\d+) body=bytearray\(b'(.*)'\)", text)
    assert found is not None, text
    return int(found[1]), json.loads(found[2]) if found[2] else None
