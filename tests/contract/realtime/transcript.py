"""The recordings of the real server, and what of them can be compared with another run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.databases import SHARED

RECORDINGS = SHARED / "truth" / "realtime"
_MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_SIZED_FRAME = re.compile(r"frame \d+ bytes: (\{.*\})", re.DOTALL)
_BROADCAST = '{"ref":null,"event":"broadcast",'
_CUT = re.compile(r"(.*)…\[(\d+) characters\]", re.DOTALL)
_TOPIC = re.compile(r'"topic":"([^"]*)"')
_MESSAGE_ID = re.compile(r'"id":"([0-9a-f-]{36})"')
_CUT_AT = 2500
_BINARY = "0x"
_BINARY_HEAD = 5
_BROADCAST_TYPE = 4
_LARGE_BROADCASTS_TO = "realtime:user:11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True, slots=True)
class Entry:
    t_ms: float
    direction: Literal["note", "send", "recv", "http", "close"]
    text: str
    connection: str


def read_transcript(name: str) -> list[Entry]:
    lines = (RECORDINGS / f"{name}.jsonl").read_text().splitlines()
    entries = map(json.loads, lines)
    return [Entry(e["t_ms"], e["dir"], e["frame"], e.get("conn", "")) for e in entries]


def schema() -> str:
    return (RECORDINGS / "schema.sql").read_text()


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of either version; of 1.0.0 `join_ref` is not sent by the server.

    The payload of a message from the database is the text of the whole frame, or the bytes of a binary one as Latin-1:
    what PostgreSQL wrote is passed on to the letter.
    """

    topic: str
    event: str
    payload: Any
    ref: str | None
    join_ref: str | None = None

    @property
    def message_id(self) -> str | None:
        """Of a message from the database."""
        if self.event != "broadcast" or not isinstance(self.payload, str):
            return None
        found = _MESSAGE_ID.search(self.payload)
        return found and found[1]

    @property
    def change(self) -> dict[str, Any] | None:
        """What a change says; a join of the old style gets it without wrapping."""
        if self.event == "postgres_changes":
            data: dict[str, Any] = self.payload["data"]
            return data
        return self.payload if self.event in {"INSERT", "UPDATE", "DELETE"} else None


def parse_frame(text: str) -> Frame:
    """Of frames with large rows the recording keeps the payload only, with the largest value named by its size.

    Of large broadcasts it keeps the beginning and the size.
    """
    if text.startswith(_BINARY):
        return _parse_binary(text)
    if text.startswith(_BROADCAST):
        return _parse_broadcast(text)
    if sized := _SIZED_FRAME.fullmatch(text):
        return Frame("realtime:e", "postgres_changes", json.loads(sized[1]), None)
    frame = json.loads(text)
    if isinstance(frame, list):
        join_ref, ref, topic, event, payload = frame
        return Frame(topic, event, payload, ref, join_ref)
    return Frame(frame["topic"], frame["event"], frame["payload"], frame["ref"])


def _parse_broadcast(text: str) -> Frame:
    """Topics stand at the end, and so are missing from what was cut; every large message went to the same one."""
    if (cut := _CUT.fullmatch(text)) is not None:
        return Frame(_LARGE_BROADCASTS_TO, "broadcast", f"{cut[1]} of {cut[2]}", None)
    topic = _TOPIC.findall(text)[-1]
    return Frame(topic, "broadcast", text if len(text) <= _CUT_AT else f"{text[:_CUT_AT]} of {len(text)}", None)


def _parse_binary(digits: str) -> Frame:
    data = bytes.fromhex(digits.removeprefix(_BINARY))
    assert data[0] == _BROADCAST_TYPE
    topic = data[_BINARY_HEAD : _BINARY_HEAD + data[1]].decode()
    return Frame(topic, "broadcast", data.decode("latin-1"), None)


def identify(frame: Frame) -> tuple[str, str, str] | None:
    """Type, row and time of a change; None for other frames and for changes of which nothing is told."""
    data = frame.change
    if data is None or data["commit_timestamp"] is None:
        return None
    return data["type"], (data.get("record") or data["old_record"])["id"], data["commit_timestamp"]


def recorded_changes(entries: Sequence[Entry]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Every change as told to the connection that was told most."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for entry in entries:
        if entry.direction == "recv" and (change := identify(frame := parse_frame(entry.text))) is not None:
            told = frame.change or {}
            found[change] = max(told, found.get(change, told), key=lambda data: len(data.get("record", {})))
    return found


@dataclass(slots=True)
class Ids:
    """Which recorded id of a binding or a message stands for which of ours."""

    ours: dict[int, int] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)

    def learn(self, recorded: Frame, received: Frame) -> None:
        if recorded.message_id and received.message_id:
            ours = self.messages.setdefault(recorded.message_id, received.message_id)
            assert ours == received.message_id, "one message, two ids"
        for old, new in zip(_bindings(recorded), _bindings(received), strict=False):
            assert self.ours.setdefault(old["id"], new["id"]) == new["id"], "one binding, two ids"


def _bindings(reply: Frame) -> list[dict[str, Any]]:
    response = reply.payload.get("response", {}) if reply.event == "phx_reply" else {}
    found: list[dict[str, Any]] = response.get("postgres_changes", [])
    return found


def comparable(frame: Frame, ids: Ids | None = None) -> dict[str, Any]:
    """Without what differs from run to run. `ids` translates those of a recorded frame."""
    if frame.message_id is not None:
        ours = ids.messages[frame.message_id] if ids else frame.message_id
        return {"topic": frame.topic, "message": frame.payload.replace(frame.message_id, ours)}
    payload = json.loads(json.dumps(frame.payload))
    for binding in _bindings(frame):
        payload["response"]["postgres_changes"] = [{**b, "id": "binding"} for b in _bindings(frame)]
        assert isinstance(binding["id"], int)
    if frame.event == "postgres_changes":
        payload["ids"] = sorted(ids.ours[i] if ids is not None else i for i in payload["ids"])
    data = payload.get("data", payload)
    if _MILLISECONDS.fullmatch(str(data.get("commit_timestamp"))):
        data["commit_timestamp"] = "some millisecond"
    values = data.get("record") or {}
    for name, value in values.items():
        size = len(json.dumps(value))
        values[name] = f"<{size} bytes of json>" if size > 1000 else value
    return {"topic": frame.topic, "event": frame.event, "payload": payload, "refs": (frame.ref, frame.join_ref)}
