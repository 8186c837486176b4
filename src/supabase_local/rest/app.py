"""The aiohttp application: takes requests off the wire, has them answered, puts replies back on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from supabase_local.rest.backend import Backend
from supabase_local.rest.cors import cors_headers, is_preflight, preflight
from supabase_local.rest.errors import RestError
from supabase_local.rest.plan import Plan
from supabase_local.rest.replies import Reply, error_reply
from supabase_local.rest.request import Raw, Request, read_request
from supabase_local.rest.routes import allow, plan
from supabase_local.rest.statement import VERSION

RETRY_CAP_S = 30.0  # the real one never stops
_RETRY_PAUSE_S = 0.005
_RETRIED = ("40001", "40P01")
_DRAIN_S = 10.0
_SERVER = f"postgrest/{VERSION}"
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {  # Python's own change with its version
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}
_NO_TYPE = "application/octet-stream"  # what aiohttp says where nothing was said


@dataclass(slots=True)
class RestService:
    """Answers requests. An answer once begun is finished, whoever still waits for it."""

    backend: Backend
    jwt_secret: str
    _working: set[asyncio.Task[Reply]] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.Response:
        raw = await _read(request)
        work = asyncio.create_task(self._answer(raw, lambda: _is_gone(request)))
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        reply = await asyncio.shield(work)
        return _response(reply, raw)

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        """aiohttp's cleanup context."""
        async with self.backend.running():
            yield
            await self._drain()

    async def _drain(self) -> None:
        if not self._working:
            return
        _, unfinished = await asyncio.wait(self._working, timeout=_DRAIN_S)
        for work in unfinished:
            work.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _answer(self, raw: Raw, is_gone: Callable[[], bool]) -> Reply:
        if is_preflight(raw):
            return preflight(raw)
        try:
            schema = self.backend.schema
            if raw.method == "OPTIONS":
                return Reply(200, (("Access-Control-Allow-Origin", "*"), ("Allow", allow(raw, schema))))
            request = read_request(raw, self.jwt_secret, time.time())
            planned = plan(request, schema)
            return await self._run(request, planned, is_gone)
        except RestError as error:
            return error_reply(error)

    async def _run(self, request: Request, planned: Plan, is_gone: Callable[[], bool]) -> Reply:
        """What PostgreSQL calls retriable is retried for as long as somebody waits, like the real one does."""
        role_settings = self.backend.schema.role_settings.get(request.role, {})
        settings = request.settings(role_settings, planned.transaction.settings)
        give_up_at = time.monotonic() + RETRY_CAP_S
        while True:
            try:
                return await self.backend.run(request, planned, settings)
            except RestError as error:
                if error.code not in _RETRIED or is_gone() or time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(_RETRY_PAUSE_S)


def create_rest_app(database_url: str, jwt_secret: str) -> web.Application:
    """PostgREST over the database at `database_url`, which must name the role `authenticator`."""
    service = RestService(Backend(database_url), jwt_secret)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.handle)
    app.on_response_prepare.append(_drop_assumed_type)
    app.cleanup_ctx.append(service.run)
    return app


async def _read(request: web.Request) -> Raw:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    body = await request.content.read()
    return Raw(request.method, f"/{request.match_info['path']}", request.rel_url.raw_query_string, headers, body)


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _response(reply: Reply, raw: Raw) -> web.Response:
    response = web.Response(
        status=reply.status,
        reason=_REASONS.get(reply.status, "Unknown") if reply.reason is None else reply.reason,
        body=reply.body.encode(errors="backslashreplace"),
    )
    for name, value in (*reply.headers, *cors_headers(raw), ("Server", _SERVER)):
        response.headers.add(_one_line(name), _one_line(value))
    return response


def _one_line(text: str) -> str:
    """The real one sends line breaks that a function put into a header; aiohttp rightly refuses to."""
    return " ".join(text.splitlines())


async def _drop_assumed_type(_: web.Request, response: web.StreamResponse) -> None:
    if response.headers.get("Content-Type") == _NO_TYPE:
        del response.headers["Content-Type"]
