"""A joined topic: what its client hears of it and says to it, as long as its token and its policies allow."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, assert_never

from supabase_local.realtime import messages, protocol
from supabase_local.realtime.admission import Admission, readmit
from supabase_local.realtime.bindings import BindingError, ChangeType
from supabase_local.realtime.claims import Claims, JoinRefusedError, Viewer, expired
from supabase_local.realtime.delivery import Subscription
from supabase_local.realtime.joins import Options
from supabase_local.realtime.services import Services
from supabase_local.realtime.subscribing import resolve_entries


@dataclass(frozen=True, slots=True)
class NewToken:
    token: str


@dataclass(frozen=True, slots=True)
class Said:
    """A broadcast of the client."""

    frame: protocol.Received


@dataclass(frozen=True, slots=True)
class _PublicationChanged:
    pass


Event = NewToken | Said | _PublicationChanged


class Membership:
    def __init__(
        self,
        services: Services,
        join: protocol.Received,
        wanted: Options,
        send: Callable[[protocol.Frame], None],
        inbox: asyncio.Queue[Event],
    ) -> None:
        self._services = services
        self._feed = services.feed
        self._join = join
        self._wanted = wanted
        self._send = send
        self._inbox = inbox
        self._generation = services.faults.generation
        self._replayed: frozenset[str] = frozenset()
        self._may_write: bool | None = None

    async def last(self, admission: Admission) -> None:
        """Until the token ends, or what it allowed."""
        try:
            self._listen(admission.hears)
            self._replay(admission)
            await self._live(admission.claims, hears=admission.hears)
        except JoinRefusedError as error:
            self._tell("system", "error", error.message)
            self._send(protocol.close(self._join.topic, self._join.join_ref))
        finally:
            self._feed.unsubscribe(self)
            self._listen(False)

    async def _live(self, claims: Claims, *, hears: bool) -> None:
        """Subscribe when due, take new tokens and broadcasts as they come."""
        clock, options = self._services.clock, self._services.options
        await self._tell_when_replicating()
        subscribe_at = clock() + options.ready_delay_s if self._wanted.entries else math.inf
        while True:
            event = await self._next(min(subscribe_at, claims.expires_at) - clock())
            match event:
                case NewToken(token):
                    admission = await readmit(self._services, self._join.topic, self._wanted, token, heard=hears)
                    claims, hears = admission.claims, admission.hears
                    self._renew(hears)
                    subscribe_at = clock() + options.refresh_delay_s if self._wanted.entries else math.inf
                case Said(frame):
                    await self._pass_on(frame, claims.viewer)
                case _PublicationChanged():
                    subscribe_at = clock()
                case None if claims.expires_at <= (now := clock()):
                    raise expired(claims.expires_at, now)
                case None if subscribe_at <= now:
                    subscribe_at = math.inf
                    await self._subscribe(claims.viewer)
                case None:
                    pass
                case _:
                    assert_never(event)

    async def _next(self, within_s: float) -> Event | None:
        try:
            async with asyncio.timeout(max(0.0, within_s)):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def _tell_when_replicating(self) -> None:
        if self._wanted.replication_ready:
            await self._feed.streaming.wait()
            self._tell("system", "ok", "Replication connection established")

    async def _subscribe(self, viewer: Viewer) -> None:
        try:
            bindings = await resolve_entries(self._feed, self._wanted.entries, viewer.role)
        except BindingError as error:
            self._feed.unsubscribe(self)
            self._tell("postgres_changes", "error", str(error))
            return
        self._feed.subscribe(self, Subscription(viewer, bindings, self._hear_change), self._on_publication_change)
        self._tell("postgres_changes", "ok", "Subscribed to PostgreSQL")

    def _hear_change(self, change_type: ChangeType, data: str, ids: list[int]) -> None:
        if self._wanted.new_style:
            payload = f'{{"data":{data},"ids":{protocol.compact(ids)}}}'
            self._hear(protocol.Sent(self._join.topic, "postgres_changes", payload))
        else:
            self._hear(protocol.Sent(self._join.topic, change_type, data))

    def _on_publication_change(self) -> None:
        self._inbox.put_nowait(_PublicationChanged())

    def _listen(self, hears: bool) -> None:
        broadcasts, topic, private = self._feed.broadcasts, self._join.topic, self._wanted.private
        if hears:
            broadcasts.join(topic, private, self, self._hear_broadcast)
        else:
            broadcasts.leave(topic, private, self)

    def _replay(self, admission: Admission) -> None:
        """What the stream tells again after it is passed over."""
        for message in admission.recorded:
            self._hear(message)
        self._replayed = frozenset(message.id for message in admission.recorded)

    def _hear_broadcast(self, frame: protocol.Frame) -> None:
        if not (isinstance(frame, protocol.Broadcast) and frame.id in self._replayed):
            self._hear(frame)

    async def _pass_on(self, frame: protocol.Received, viewer: Viewer) -> None:
        """Where the policies do not allow it nothing happens, and nothing is said."""
        if self._wanted.private and not await self._is_writable(viewer):
            return
        said = protocol.Sent(self._join.topic, "broadcast", protocol.compact(frame.payload))
        self._feed.broadcasts.send(said, self._wanted.private, apart_from=None if self._wanted.echo else self)
        if self._wanted.acknowledge:
            self._send(protocol.reply(frame, "ok", {}))

    async def _is_writable(self, viewer: Viewer) -> bool:
        """Asked once per token, and again after an outage of the database."""
        if self._may_write is None:
            with suppress(JoinRefusedError):
                self._may_write = await messages.may_write(self._feed.database_url, self._join.topic, viewer)
        return bool(self._may_write)

    def _renew(self, hears: bool) -> None:
        self._generation = self._services.faults.generation
        self._may_write = None
        self._listen(hears)

    def _hear(self, frame: protocol.Frame) -> None:
        faults = self._services.faults
        if not faults.silent and self._generation == faults.generation:
            self._send(frame)

    def _tell(self, extension: str, status: Literal["ok", "error"], message: str) -> None:
        self._send(protocol.system(self._join.topic, self._join.join_ref, extension, status, message))
