"""Who is let in to a topic, and with what: the token first, then the policies of a private topic."""

from __future__ import annotations

from dataclasses import dataclass

from supabase_local.realtime import messages
from supabase_local.realtime.claims import Claims, JoinRefusedError, Viewer, read_claims
from supabase_local.realtime.joins import Options, read_replay
from supabase_local.realtime.protocol import TOPIC_PREFIX, Broadcast
from supabase_local.realtime.services import Services


@dataclass(frozen=True, slots=True)
class Admission:
    """`hears` broadcasts, unless its policies are for presence only. `recorded` is what was said before."""

    claims: Claims
    hears: bool
    recorded: tuple[Broadcast, ...] = ()


async def admit(services: Services, topic: str, wanted: Options, token: str) -> Admission:
    """Raises JoinRefusedError."""
    if topic == TOPIC_PREFIX:
        raise JoinRefusedError("TopicNameRequired", "You must provide a topic name")
    claims = read_claims(token, services.jwt_secret, services.clock())
    hears = await _hears(services, topic, wanted, claims.viewer)
    if (replay := read_replay(wanted)) is None:
        return Admission(claims, hears)
    if not hears:
        raise messages.unauthorized(topic)
    recorded = await messages.recorded(services.feed.database_url, topic, replay)
    return Admission(claims, hears, tuple(recorded))


async def readmit(services: Services, topic: str, wanted: Options, token: str, *, heard: bool) -> Admission:
    """With a new token. Raises JoinRefusedError, also where broadcasts that were `heard` would not be any more."""
    claims = read_claims(token, services.jwt_secret, services.clock())
    hears = await _hears(services, topic, wanted, claims.viewer)
    if heard and not hears:
        message = f"You no longer have permission to read from this Channel topic: {topic.removeprefix(TOPIC_PREFIX)}"
        raise JoinRefusedError("Unauthorized", message)
    return Admission(claims, hears)


async def _hears(services: Services, topic: str, wanted: Options, viewer: Viewer) -> bool:
    if not wanted.private:
        return True
    return "broadcast" in await messages.readable(services.feed.database_url, topic, viewer)
