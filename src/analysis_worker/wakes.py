"""The words for being woken."""

from __future__ import annotations

from enum import StrEnum


class WakeReason(StrEnum):
    """Why the dispatcher looks at the queue."""

    REALTIME = "realtime"  # an INSERT was announced by Postgres Changes
    DOORBELL = "doorbell"  # and here by a broadcast from the database
    SWEEP = "sweep"  # nobody rang: start-up, reconciler, polling, a listener that has just become ready
    CAPACITY = "capacity"  # a slot is free again and the last claim left jobs behind


class ListenerState(StrEnum):
    CONNECTING = "connecting"
    READY = "ready"
    DEGRADED = "degraded"
    CLOSED = "closed"
