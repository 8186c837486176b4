"""Messages to everybody on a topic: who listens where, and rows of `realtime.messages` as such messages."""

from __future__ import annotations

from collections.abc import Callable

from supabase_local.realtime.pgoutput import Change, Insert
from supabase_local.realtime.protocol import TOPIC_PREFIX, Broadcast, Frame

_MOST_LIVE_BYTES = 3_000_000
"""Measured on the real server: 1.2 MB arrive, 3.5 MB are recorded and replayed but never sent."""


class Broadcasts:
    """Listeners by topic. A public and a private topic of the same name are two topics."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, bool], dict[object, Callable[[Frame], None]]] = {}

    def join(self, topic: str, private: bool, listener: object, hear: Callable[[Frame], None]) -> None:
        self._listeners.setdefault((topic, private), {})[listener] = hear

    def leave(self, topic: str, private: bool, listener: object) -> None:
        listeners = self._listeners.get((topic, private), {})
        listeners.pop(listener, None)
        if not listeners:
            self._listeners.pop((topic, private), None)

    def send(self, frame: Frame, private: bool, *, apart_from: object = None) -> None:
        for listener, hear in list(self._listeners.get((frame.topic, private), {}).items()):
            if listener is not apart_from:
                hear(frame)

    def send_recorded(self, change: Change) -> None:
        """Send what a change of `realtime.messages` says; anything but a complete new row says nothing."""
        match change:
            case Insert(relation, new):
                row = {column.name: cell for column, cell in zip(relation.columns, new, strict=True)}
            case _:
                return
        match row:
            case {
                "id": str(message_id),
                "topic": str(topic),
                "event": str(event),
                "private": str(private),
                "payload": str(payload),
            } if len(payload.encode()) <= _MOST_LIVE_BYTES:
                self.send(Broadcast(f"{TOPIC_PREFIX}{topic}", event, message_id, payload), private == "t")


def is_message(change: Change) -> bool:
    return change.relation.schema == "realtime" and change.relation.table == "messages"
