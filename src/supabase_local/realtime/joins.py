"""What a join asks for besides its topic: the options of a channel, read from its payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from supabase_local.realtime.bindings import requested
from supabase_local.realtime.claims import JoinRefusedError

_MOST_REPLAYED = 25
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Replay:
    since: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class Options:
    """`echo` sends a client its own broadcasts too, `acknowledge` answers them. `replay` is as asked, unchecked."""

    entries: list[dict[str, Any]]
    new_style: bool
    private: bool
    presence: bool
    acknowledge: bool
    echo: bool
    replication_ready: bool
    replay: object | None


def read_options(topic: str, payload: Mapping[str, Any]) -> Options:
    config = _object(payload.get("config"))
    broadcast, presence = _object(config.get("broadcast")), config.get("presence")
    return Options(
        entries=requested(topic, payload),
        new_style="config" in payload,
        private=config.get("private") is True,
        presence="presence" in config and bool(_object(presence).get("enabled", True)),
        acknowledge=broadcast.get("ack") is True,
        echo=broadcast.get("self") is True,
        replication_ready=broadcast.get("replication_ready") is True,
        replay=broadcast.get("replay"),
    )


def read_replay(options: Options) -> Replay | None:
    """Raises JoinRefusedError where the replay that was asked for is not to be had."""
    match options:
        case Options(replay=None):
            return None
        case Options(private=False):
            raise JoinRefusedError("UnableToReplayMessages", "Replay is not allowed for public channels")
        case Options(replay={**asked}):
            since, limit = asked.get("since", 0), asked.get("limit", _MOST_REPLAYED)
            if isinstance(since, int) and isinstance(limit, int):
                return Replay(_EPOCH + timedelta(milliseconds=since), max(1, min(limit, _MOST_REPLAYED)))
    raise JoinRefusedError("UnableToReplayMessages", "Replay params are not valid")


def token_in(payload: Mapping[str, Any]) -> str | None:
    """Opaque keys say nothing here: the socket's own key was already judged by whoever let it in."""
    token = payload.get("access_token")
    return token if isinstance(token, str) and not token.startswith("sb_") else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
