"""What can be made to go wrong between a client and the REST layer, for tests of clients.

`POST /rest/v1/_faults` with a JSON object switches faults while the stack runs, and answers with those in force and
with how often each path was called.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTROL_PATH = "_faults"


@dataclass(slots=True)
class RestFaults:
    """Each fault lasts as long as it is set, and concerns the calls whose path ends in `only`.

    `fail`: this share of the calls is answered with a 503 and not run. `cut`: this share is run, and instead of the
    answer the connection is reset. `delay_s`: so long before anything else happens.
    """

    fail: float = 0.0
    cut: float = 0.0
    delay_s: float = 0.0
    only: str = ""
    calls: Counter[str] = field(default_factory=Counter)


class _Wish(BaseModel):
    """Faults to set or to end; those that are not named stay as they are."""

    model_config = ConfigDict(extra="forbid")

    fail: float | None = Field(None, ge=0, le=1)
    cut: float | None = Field(None, ge=0, le=1)
    delay_s: float | None = Field(None, ge=0)
    only: str | None = None


def add_faults(app: web.Application, faults: RestFaults, draw: Callable[[], float] = random.random) -> None:
    """Put the faults in front of `app`. `draw` gives numbers in [0, 1)."""

    @web.middleware
    async def meddle(request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.match_info["path"]
        if path == CONTROL_PATH:
            return await _control(request, faults)
        faults.calls[path] += 1
        if not path.endswith(faults.only):
            return await handler(request)
        await asyncio.sleep(faults.delay_s)
        if draw() < faults.fail:
            return web.Response(status=503, text="fault")
        response = await handler(request)
        if draw() < faults.cut and request.transport is not None:
            request.transport.abort()
        return response

    app.middlewares.append(meddle)


async def _control(request: web.Request, faults: RestFaults) -> web.Response:
    try:
        wish = _Wish.model_validate_json(await request.read())
    except ValidationError as error:
        return web.Response(status=400, text=error.json(), content_type="application/json")
    for name, value in wish.model_dump(exclude_none=True).items():
        setattr(faults, name, value)
    return web.json_response(
        {"fail": faults.fail, "cut": faults.cut, "delay_s": faults.delay_s, "only": faults.only, "calls": faults.calls}
    )
