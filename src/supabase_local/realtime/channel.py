"""One joined topic: its token, its subscription, and what it tells its client."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from supabase_local.realtime import protocol
from supabase_local.realtime.bindings import Binding, BindingError, ChangeType, binding_id, parse, requested
from supabase_local.realtime.catalogue import published_tables, resolve
from supabase_local.realtime.claims import Claims, JoinRefusedError, TokenRefusedError, Viewer, expired, read_claims
from supabase_local.realtime.connections import open_connection
from supabase_local.realtime.delivery import Subscription
from supabase_local.realtime.feed import Feed
from supabase_local.realtime.options import RealtimeOptions

_PUBLICATION_CHANGED = object()
_RETRY_S = 0.2


@dataclass(frozen=True, slots=True)
class Services:
    """What every channel of the server shares. `clock` gives Unix time in seconds."""

    feed: Feed
    options: RealtimeOptions
    jwt_secret: str
    clock: Callable[[], float]


class Channel:
    """Lives from the join until it is closed or refused. `socket_token` stands in for a join without a token."""

    def __init__(
        self, services: Services, join: protocol.Received, socket_token: str, send: Callable[[protocol.Sent], None]
    ) -> None:
        self.topic = join.topic
        self.join_ref = join.join_ref
        self._services = services
        self._join = join
        self._token = _token_in(join.payload) or socket_token
        self._send = send
        self._entries = requested(join.topic, join.payload)
        self._inbox: asyncio.Queue[str | object] = asyncio.Queue()

    def refresh(self, payload: dict[str, Any]) -> None:
        """Take a new token; the one in use and anything that is no token change nothing."""
        if (token := _token_in(payload)) is not None and token != self._token:
            self._token = token
            self._inbox.put_nowait(token)

    async def run(self, replaced_join_ref: str | None) -> None:
        """`replaced_join_ref` is that of an older join of the same topic, closed once this one is answered."""
        try:
            claims = await self._answer_join()
            if replaced_join_ref is not None:
                self._send(protocol.close(self.topic, replaced_join_ref))
            if claims is not None:
                await self._live(claims)
        finally:
            self._services.feed.unsubscribe(self)

    async def _answer_join(self) -> Claims | None:
        options = self._services.options
        try:
            _check_topic(self.topic)
            claims = self._read(self._token)
        except JoinRefusedError as error:
            await asyncio.sleep(options.join_refusal_delay_s)
            self._send(protocol.reply(self._join, "error", {"reason": f"{error.code}: {error.message}"}))
            return None
        reply = {"postgres_changes": [{"id": binding_id(entry), **entry} for entry in self._entries]}
        self._send(protocol.reply(self._join, "ok", reply))
        if _wants_presence(self._join.payload):
            self._send(protocol.Sent(self.topic, "presence_state", "{}", None, self.join_ref))
        return claims

    async def _live(self, claims: Claims) -> None:
        """Until the token ends: subscribe when due, take new tokens as they come."""
        clock, options = self._services.clock, self._services.options
        subscribe_at = clock() + options.ready_delay_s if self._entries else math.inf
        try:
            while True:
                message = await self._next(min(subscribe_at, claims.expires_at) - clock())
                if message is _PUBLICATION_CHANGED:
                    subscribe_at = clock()
                elif isinstance(message, str):
                    claims = self._read(message)
                    subscribe_at = clock() + options.refresh_delay_s if self._entries else math.inf
                elif claims.expires_at <= (now := clock()):
                    raise expired(claims.expires_at, now)
                elif subscribe_at <= now:
                    subscribe_at = math.inf
                    await self._subscribe(claims.viewer)
        except TokenRefusedError as error:
            self._tell("system", "error", error.message)
            self._send(protocol.close(self.topic, self.join_ref))

    async def _next(self, within_s: float) -> str | object | None:
        try:
            async with asyncio.timeout(max(0.0, within_s)):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def _subscribe(self, viewer: Viewer) -> None:
        feed = self._services.feed
        try:
            bindings = await self._resolve([parse(entry) for entry in self._entries], viewer.role)
        except BindingError as error:
            feed.unsubscribe(self)
            self._tell("postgres_changes", "error", str(error))
            return
        feed.subscribe(self, Subscription(viewer, bindings, self._deliver), self._on_publication_change)
        self._tell("postgres_changes", "ok", "Subscribed to PostgreSQL")

    async def _resolve(self, bindings: list[Binding], role: str) -> tuple[tuple[Binding, frozenset[int]], ...]:
        """Waits for the database as long as it takes: like the real server, an outage tells the client nothing."""
        while True:
            await self._services.feed.streaming.wait()
            try:
                async with await open_connection(self._services.feed.database_url) as db:
                    published = await published_tables(db)
                    return tuple([(binding, await resolve(db, published, binding, role)) for binding in bindings])
            except psycopg.OperationalError:
                await asyncio.sleep(_RETRY_S)

    def _deliver(self, change_type: ChangeType, data: str, ids: list[int]) -> None:
        if "config" in self._join.payload:
            payload = f'{{"data":{data},"ids":{protocol.compact(ids)}}}'
            self._send(protocol.Sent(self.topic, "postgres_changes", payload))
        else:
            self._send(protocol.Sent(self.topic, change_type, data))

    def _on_publication_change(self) -> None:
        self._inbox.put_nowait(_PUBLICATION_CHANGED)

    def _tell(self, extension: str, status: Literal["ok", "error"], message: str) -> None:
        self._send(protocol.system(self.topic, self.join_ref, extension, status, message))

    def _read(self, token: str) -> Claims:
        return read_claims(token, self._services.jwt_secret, self._services.clock())


def _check_topic(topic: str) -> None:
    if topic == "realtime:":
        raise JoinRefusedError("TopicNameRequired", "You must provide a topic name")


def _token_in(payload: dict[str, Any]) -> str | None:
    """Opaque keys say nothing here: the socket's own key was already judged by whoever let it in."""
    token = payload.get("access_token")
    return token if isinstance(token, str) and not token.startswith("sb_") else None


def _wants_presence(payload: dict[str, Any]) -> bool:
    match payload:
        case {"config": {"presence": {"enabled": enabled}}}:
            return bool(enabled)
        case {"config": {"presence": _}}:
            return True
        case _:
            return False
