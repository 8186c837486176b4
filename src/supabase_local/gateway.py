"""The one port in front of all services: API keys as Kong checks them, opaque keys swapped for JWTs, CORS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web
from multidict import CIMultiDict

from supabase_local.keys import Keys

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ROLE_KEY_HEADER = "X-Api-Key"
"""Where Realtime looks first for the key; here always a JWT, whatever the client sent."""

_MAX_JSON_BYTES = 1024 * 1024
_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS"
_EXPOSED = "Content-Encoding,Content-Location,Content-Range,Content-Type,Date,ETag,Link,Location,Preference-Applied,"
_EXPOSED += "Proxy-Status,X-Sb-Error-Code,X-Supabase-Api-Version,X-Total-Count"


@dataclass(frozen=True, slots=True)
class Service:
    """One mounted application. `open_door` lets requests in without an API key; bodies over the limit get a 413.

    `own_cors`: it answers browsers' questions itself, and what it does not say to them nobody says.
    """

    app: web.Application
    open_door: bool = False
    max_body_bytes: int = _MAX_JSON_BYTES
    own_cors: bool = False


def create_gateway(services: Mapping[str, Service], keys: Keys) -> web.Application:
    """`services` by path prefix, such as `/auth/v1`."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        service = _service_of(request, services)
        if _is_preflight(request) and not _has_own_cors(service):
            return _preflight(request)
        if service is None:
            return await _without_service(request, handler)
        api_key = request.headers.get("apikey") or request.query.get("apikey")
        role_key = keys.role_key(api_key) if api_key else None
        if role_key is None and not service.open_door:
            return _refuse("Invalid authentication credentials" if api_key else "No API key found in request")
        headers = CIMultiDict(request.headers)
        if (authorization := _authorization(request, keys, role_key)) is not None:
            headers[hdrs.AUTHORIZATION] = authorization
        if role_key is not None:
            headers[ROLE_KEY_HEADER] = role_key
        return await handler(request.clone(headers=headers, client_max_size=service.max_body_bytes))

    async def allow_any_origin(request: web.Request, response: web.StreamResponse) -> None:
        if not _has_own_cors(_service_of(request, services)):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED

    gateway = web.Application(middlewares=[admit])
    gateway.on_response_prepare.append(allow_any_origin)
    gateway.router.add_get("/health", _health)
    for prefix, service in services.items():
        gateway.add_subapp(prefix, service.app)
    return gateway


def _authorization(request: web.Request, keys: Keys, role_key: str | None) -> str | None:
    """The header to pass on where it must change: an opaque key, in it or alone beside it, becomes its role's JWT."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme and not token.startswith("sb_"):
        return None
    meant = keys.role_key(token) if token else role_key
    return None if meant is None else f"Bearer {meant}"


def _service_of(request: web.Request, services: Mapping[str, Service]) -> Service | None:
    return next((found for prefix, found in services.items() if _is_under(request.path, prefix)), None)


def _has_own_cors(service: Service | None) -> bool:
    return service is not None and service.own_cors


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


async def _without_service(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return web.json_response({"message": "no Route matched with those values"}, status=404)


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _refuse(message: str) -> web.Response:
    return web.json_response({"message": message}, status=401)


def _is_preflight(request: web.Request) -> bool:
    return request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers


def _preflight(request: web.Request) -> web.Response:
    wanted = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
    headers = {hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS, hdrs.ACCESS_CONTROL_MAX_AGE: "3600"}
    return web.Response(headers=headers | ({hdrs.ACCESS_CONTROL_ALLOW_HEADERS: wanted} if wanted else {}))
