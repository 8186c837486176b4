"""One join of a topic: answered, then alive until it is left, replaced, refused or closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from supabase_local.realtime import protocol
from supabase_local.realtime.admission import Admission, admit
from supabase_local.realtime.bindings import binding_id
from supabase_local.realtime.claims import JoinRefusedError
from supabase_local.realtime.joins import read_options, token_in
from supabase_local.realtime.membership import Event, Membership, NewToken, Said
from supabase_local.realtime.services import Services


class Channel:
    """Lives from the join until it is closed or refused. `socket_token` stands in for a join without a token."""

    def __init__(
        self, services: Services, join: protocol.Received, socket_token: str, send: Callable[[protocol.Frame], None]
    ) -> None:
        self.topic = join.topic
        self.join_ref = join.join_ref
        self._services = services
        self._join = join
        self._token = token_in(join.payload) or socket_token
        self._send = send
        self._wanted = read_options(join.topic, join.payload)
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()

    def refresh(self, payload: dict[str, Any]) -> None:
        """Take a new token; the one in use and anything that is no token change nothing."""
        if (token := token_in(payload)) is not None and token != self._token:
            self._token = token
            self._inbox.put_nowait(NewToken(token))

    def say(self, frame: protocol.Received) -> None:
        """Take a broadcast of the client for the others on the topic."""
        self._inbox.put_nowait(Said(frame))

    async def run(self, replaced_join_ref: str | None) -> None:
        """`replaced_join_ref` is that of an older join of the same topic, closed once this one is answered."""
        admission = await self._answer_join()
        if replaced_join_ref is not None:
            self._send(protocol.close(self.topic, replaced_join_ref))
        if admission is None:
            return
        if self._services.faults.close_joins:
            self._send(protocol.close(self.topic, self.join_ref))
            return
        await Membership(self._services, self._join, self._wanted, self._send, self._inbox).last(admission)

    async def _answer_join(self) -> Admission | None:
        try:
            admission = await admit(self._services, self.topic, self._wanted, self._token)
        except JoinRefusedError as error:
            await asyncio.sleep(self._services.options.join_refusal_delay_s)
            self._send(protocol.reply(self._join, "error", {"reason": f"{error.code}: {error.message}"}))
            return None
        reply = {"postgres_changes": [{"id": binding_id(entry), **entry} for entry in self._wanted.entries]}
        self._send(protocol.reply(self._join, "ok", reply))
        if self._wanted.presence:
            self._send(protocol.Sent(self.topic, "presence_state", "{}", None, self.join_ref))
        return admission
