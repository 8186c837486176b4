"""From what a join asks for to a subscription: bindings with the tables that they mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from supabase_local.realtime.bindings import Binding, parse
from supabase_local.realtime.catalogue import published_tables, resolve
from supabase_local.realtime.connections import open_connection
from supabase_local.realtime.feed import Feed

_RETRY_S = 0.2


async def resolve_entries(
    feed: Feed, entries: Sequence[Mapping[str, Any]], role: str
) -> tuple[tuple[Binding, frozenset[int]], ...]:
    """Raises BindingError for the first entry that cannot be served.

    Waits for the database as long as it takes: like the real server, an outage tells the client nothing.
    """
    bindings = [parse(entry) for entry in entries]
    while True:
        await feed.streaming.wait()
        try:
            async with await open_connection(feed.database_url) as db:
                published = await published_tables(db)
                return tuple([(binding, await resolve(db, published, binding, role)) for binding in bindings])
        except psycopg.OperationalError:
            await asyncio.sleep(_RETRY_S)
