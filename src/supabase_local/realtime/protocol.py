"""Phoenix channel frames in both serialisations: objects (1.0.0) and arrays (2.0.0). Sans-I/O.

Messages from the database are binary in 2.0.0: a type, the sizes of topic, event and metadata, the encoding of the
payload, then these four.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

Version = Literal["1.0.0", "2.0.0"]
VERSIONS: tuple[Version, ...] = get_args(Version)
HEARTBEAT_TOPIC = "phoenix"
TOPIC_PREFIX = "realtime:"
_BROADCAST_TYPE = 4
_JSON_ENCODING = 1


class FrameError(ValueError):
    """The text is no frame of this version."""


@dataclass(frozen=True, slots=True)
class Received:
    topic: str
    event: str
    payload: dict[str, Any]
    ref: str | None
    join_ref: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """`payload` is JSON text: rows pass through as PostgreSQL wrote them."""

    topic: str
    event: str
    payload: str
    ref: str | None = None
    join_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A message from the database. `payload` is JSON text, passed on as it is."""

    topic: str
    event: str
    id: str
    payload: str
    replayed: bool = False


Frame = Sent | Broadcast


def decode(version: Version, text: str) -> Received:
    try:
        frame = json.loads(text)
        match version:
            case "1.0.0":
                topic, event, payload = frame["topic"], frame["event"], frame["payload"]
                ref, join_ref = frame.get("ref"), frame.get("join_ref")
            case "2.0.0":
                join_ref, ref, topic, event, payload = frame
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FrameError(f"not a frame: {text[:80]!r}") from error
    if not isinstance(topic, str) or not isinstance(event, str):
        raise FrameError(f"topic and event are strings: {text[:80]!r}")
    return Received(topic, event, payload if isinstance(payload, dict) else {}, ref, join_ref)


def encode(version: Version, frame: Frame) -> str | bytes:
    """Raises FrameError where a name is too long for a binary frame."""
    if isinstance(frame, Broadcast):
        if version == "2.0.0" and not frame.replayed:
            return _encode_binary(frame)
        frame = _spell_out(frame)
    topic, event, ref = json.dumps(frame.topic), json.dumps(frame.event), json.dumps(frame.ref)
    match version:
        case "1.0.0":
            return f'{{"ref":{ref},"event":{event},"payload":{frame.payload},"topic":{topic}}}'
        case "2.0.0":
            return f"[{json.dumps(frame.join_ref)},{ref},{topic},{event},{frame.payload}]"


def _spell_out(frame: Broadcast) -> Sent:
    payload = f'"payload":{frame.payload},"type":"broadcast"'
    return Sent(frame.topic, "broadcast", f'{{"event":{compact(frame.event)},"meta":{_meta(frame)},{payload}}}')


def _encode_binary(frame: Broadcast) -> bytes:
    names = [text.encode() for text in (frame.topic, frame.event, _meta(frame))]
    try:
        head = bytes([_BROADCAST_TYPE, *map(len, names), _JSON_ENCODING])
    except ValueError as error:
        raise FrameError(f"a name of more than 255 bytes: {frame.topic[:80]!r}, {frame.event[:80]!r}") from error
    return b"".join([head, *names, frame.payload.encode()])


def _meta(frame: Broadcast) -> str:
    return compact({"id": frame.id, "replayed": True} if frame.replayed else {"id": frame.id})


def reply(to: Received, status: Literal["ok", "error"], response: dict[str, Any]) -> Sent:
    payload = compact({"status": status, "response": response})
    return Sent(to.topic, "phx_reply", payload, to.ref, to.join_ref)


def close(topic: str, join_ref: str | None) -> Sent:
    return Sent(topic, "phx_close", "{}", join_ref, join_ref)


def system(topic: str, join_ref: str | None, extension: str, status: Literal["ok", "error"], message: str) -> Sent:
    channel = topic.removeprefix(TOPIC_PREFIX)
    payload = {"message": message, "status": status, "extension": extension, "channel": channel}
    return Sent(topic, "system", compact(payload), None, join_ref)


def compact(value: object, *, sort_keys: bool = False) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=sort_keys)
