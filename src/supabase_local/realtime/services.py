"""What every channel of the server shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from supabase_local.realtime.faults import Faults
from supabase_local.realtime.feed import Feed
from supabase_local.realtime.options import RealtimeOptions


@dataclass(frozen=True, slots=True)
class Services:
    """`clock` gives Unix time in seconds."""

    feed: Feed
    options: RealtimeOptions
    faults: Faults
    jwt_secret: str
    clock: Callable[[], float]
