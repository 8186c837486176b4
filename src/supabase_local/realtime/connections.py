"""Connections whose making can be cancelled without leaving the server with half a login."""

from __future__ import annotations

import asyncio

from psycopg import AsyncConnection

_CONNECT_WITHIN_S = 5
_SESSION_OPTIONS = "-c timezone=UTC -c datestyle=ISO"


async def open_connection(url: str, *, replication: bool = False) -> AsyncConnection:
    """An autocommit connection that reads and writes times in UTC.

    An attempt that is cancelled is finished first, and then closed: psycopg would leave its socket open, and a server
    with half a login cannot drop any database until that times out.
    """
    attempt = asyncio.ensure_future(
        AsyncConnection.connect(
            url,
            autocommit=True,
            connect_timeout=_CONNECT_WITHIN_S,
            client_encoding="utf8",
            options=_SESSION_OPTIONS,
            replication="database" if replication else "false",
        )
    )
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        await asyncio.wait({attempt})
        if not attempt.cancelled() and attempt.exception() is None:
            await attempt.result().close()
        raise
