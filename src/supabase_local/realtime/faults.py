"""What can be made to go wrong, for tests of those who listen: switched while the server runs, in code or over HTTP."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Literal, assert_never

from aiohttp import WSCloseCode, web
from pydantic import BaseModel, ConfigDict, ValidationError

_THAW_CHECK_S = 0.02
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
Drop = Literal["close", "abort"]


@dataclass(slots=True)
class Faults:
    """Each fault lasts as long as it is set.

    `silent`: joins, tokens and heartbeats are answered, and nothing else is ever sent. `close_joins`: each join is
    answered and then closed. `refuse`: no handshake succeeds. `freeze`: nothing is answered, not even a ping or a
    close; what was sent meanwhile is dealt with after it, as by a process that was stopped.
    """

    silent: bool = False
    close_joins: bool = False
    refuse: bool = False
    freeze: bool = False
    generation: int = 0
    sockets: dict[web.WebSocketResponse, asyncio.Transport] = field(default_factory=dict)

    def deafen(self) -> None:
        """Channels that are joined now hear nothing any more, until they get a new token or are joined anew.

        So leaves the real server a channel whose database was away for long.
        """
        self.generation += 1

    async def thawed(self) -> None:
        while self.freeze:  # noqa: ASYNC110 - a plain attribute can be set from anywhere
            await asyncio.sleep(_THAW_CHECK_S)

    async def drop_sockets(self, how: Drop) -> None:
        """End every connection now: with the close of a server that restarts, or by a reset without a word."""
        match how:
            case "close":
                await asyncio.gather(*[ws.close(code=WSCloseCode.SERVICE_RESTART) for ws in self.sockets])
            case "abort":
                for transport in self.sockets.values():
                    _reset(transport)
            case _:
                assert_never(how)


def _reset(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


class _Wish(BaseModel):
    """Faults to set or to end; those that are not named stay as they are."""

    model_config = ConfigDict(extra="forbid", strict=True)

    silent: bool | None = None
    close_joins: bool | None = None
    refuse: bool | None = None
    freeze: bool | None = None
    deafen: bool = False
    drop: Drop | None = None


def control_route(faults: Faults) -> web.RouteDef:
    """`POST /_faults` with a JSON object; answers with the faults that are in force and how many sockets are open."""

    async def control(request: web.Request) -> web.Response:
        try:
            wish = _Wish.model_validate_json(await request.read())
        except ValidationError as error:
            return web.Response(status=400, text=error.json(), content_type="application/json")
        switches = wish.model_dump(exclude={"deafen", "drop"}, exclude_none=True)
        for name, value in switches.items():
            setattr(faults, name, value)
        if wish.deafen:
            faults.deafen()
        if wish.drop is not None:
            await faults.drop_sockets(wish.drop)
        in_force = {name: getattr(faults, name) for name in ("silent", "close_joins", "refuse", "freeze")}
        return web.json_response(in_force | {"sockets": len(faults.sockets)})

    return web.post("/_faults", control)
