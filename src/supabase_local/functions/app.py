"""The aiohttp application: finds the function, checks the token as the platform does, and passes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, TCPConnector, hdrs, web

from supabase_local.functions.errors import boot_failed, not_found, unauthorized, worker_failed
from supabase_local.functions.process import BootError, FunctionProcess, find_deno
from supabase_local.functions.proxy import Deserted, pass_on
from supabase_local.functions.sources import Function, FunctionSources
from supabase_local.tokens import TokenError, verify

_IDLE_S = 150.0  # the platform's


class FunctionsService:
    def __init__(
        self,
        sources: FunctionSources,
        jwt_secret: str,
        environment: Mapping[str, str],
        deno: Callable[[], Path],
        unseen: tuple[str, ...],
    ) -> None:
        self._sources = sources
        self._jwt_secret = jwt_secret
        self._environment = environment
        self._deno = deno
        self._unseen = unseen
        self._processes: dict[str, FunctionProcess] = {}
        self._session: ClientSession | None = None

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        """aiohttp's cleanup context."""
        async with ClientSession(
            connector=TCPConnector(limit=0), timeout=ClientTimeout(sock_read=_IDLE_S), auto_decompress=False
        ) as self._session:
            yield
            await asyncio.gather(*(process.stop() for process in self._processes.values()))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        function = self._sources.find(request.match_info["name"])
        if function is None:
            return not_found()
        if function.verify_jwt and request.method != hdrs.METH_OPTIONS:
            refusal = self._refusal(request.headers.get(hdrs.AUTHORIZATION))
            if refusal is not None:
                return refusal
        try:
            return await self._ask(function, request)
        except BootError as error:
            return boot_failed(str(error))
        except Deserted:
            return worker_failed()

    async def _ask(self, function: Function, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        process, path = self._process(function), _own_path(request)
        port = await process.port()
        try:
            return await pass_on(request, self._session, f"http://127.0.0.1:{port}/{path}", self._unseen)
        except Deserted:
            port = await process.port(deserted=port)
            return await pass_on(request, self._session, f"http://127.0.0.1:{port}/{path}", self._unseen)

    def _refusal(self, authorization: str | None) -> web.Response | None:
        scheme, _, token = (authorization or "").partition(" ")
        if not token:
            return unauthorized("Missing authorization header")
        if scheme.lower() != "bearer":
            return unauthorized("Invalid JWT")
        try:
            verify(token, self._jwt_secret, time.time())
        except TokenError:
            return unauthorized("Invalid JWT")
        return None

    def _process(self, function: Function) -> FunctionProcess:
        if function.name not in self._processes:
            self._processes[function.name] = FunctionProcess(
                self._deno(), function, self._environment, self._sources.env_file
            )
        return self._processes[function.name]


def _own_path(request: web.Request) -> str:
    """From the function's name on, as it was sent."""
    resource = request.match_info.route.resource
    assert resource is not None
    return request.raw_path[resource.canonical.index("{") :]


def create_functions_app(
    sources: FunctionSources,
    jwt_secret: str,
    environment: Mapping[str, str],
    deno: Callable[[], Path] = find_deno,
    unseen: tuple[str, ...] = (),
) -> web.Application:
    """Functions under `/<name>`, with the rest of the path theirs. `unseen` are headers that the gateway added."""
    service = FunctionsService(sources, jwt_secret, environment, deno, unseen)
    app = web.Application()
    app.router.add_route("*", "/{name:[^/]+}{rest:(/.*)?}", service.handle)
    app.cleanup_ctx.append(service.run)
    return app
