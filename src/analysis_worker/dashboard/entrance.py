"""The door: who a request comes from, signing in and out, and what every answer tells the browser to refuse."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from loguru import logger

from analysis_worker.dashboard.auth import Gate, is_same_origin
from analysis_worker.dashboard.live import MEDIA_TYPE, Streams
from analysis_worker.dashboard.queries import Queries
from analysis_worker.dashboard.rendering import BASE, Templates
from analysis_worker.dashboard.sessions import Identity, Role, Session, Sessions
from analysis_worker.dashboard.throttle import Throttle

COOKIE = "analysis_dashboard"
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Not no-referrer: with it browsers keep from us, too, from which origin a form comes.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a request is answered with."""

    gate: Gate
    sessions: Sessions
    throttle: Throttle
    queries: Queries
    templates: Templates
    streams: Streams


DESK = web.AppKey("desk", Desk)


@dataclass(frozen=True, slots=True)
class Caller:
    """`session` is None for whoever sent the credential itself, in the header `Authorization`."""

    identity: Identity
    session: Session | None


async def require_caller(request: web.Request) -> Caller:
    """Sends a browser without a session to the form."""
    caller = await _identify(request)
    if caller is not None:
        return caller
    is_page = request.method in {"GET", "HEAD"} and MEDIA_TYPE not in request.headers.get("accept", "")
    if is_page and "authorization" not in request.headers:
        raise web.HTTPSeeOther(f"{BASE}/login")
    raise web.HTTPUnauthorized(headers={"www-authenticate": "Bearer"}, text="sign in first\n")


async def require_operator(request: web.Request) -> Caller:
    caller = await require_caller(request)
    if caller.identity.role is not Role.OPERATOR:
        raise web.HTTPForbidden(text="Only operators may change anything or see contents.")
    return caller


async def require_act(request: web.Request) -> Caller:
    """An operator who means it: the form is one of ours and, if a user, has the role yet."""
    caller = await require_operator(request)
    desk = request.app[DESK]
    if caller.session is not None:
        token = str((await request.post()).get("form_token", ""))
        if not (_is_ours(request) and desk.sessions.is_from_our_form(caller.session, token)):
            raise web.HTTPForbidden(text="This form is not one of ours, or its session has ended. Nothing was changed.")
    if not await desk.gate.is_still(caller.identity):
        raise web.HTTPForbidden(text="You are no operator any more.")
    return caller


async def show_login(request: web.Request) -> web.Response:
    return _login_page(request, "", 200)


async def sign_in(request: web.Request) -> web.Response:
    desk, place = request.app[DESK], request.remote or ""
    if not _is_ours(request):
        return _login_page(request, "This form is not one of ours.", 403)
    if not desk.throttle.is_open(place):
        return _login_page(request, "Too many attempts failed. Wait a minute.", 429)
    form = {name: str(value) for name, value in (await request.post()).items()}
    if form.get("token"):
        identity = desk.gate.admit_token(form["token"])
    else:
        identity = await desk.gate.admit_password(form.get("email", ""), form.get("password", ""))
    if identity is None:
        desk.throttle.note_failure(place)
        logger.warning("dashboard let nobody in", address=place)
        return _login_page(request, "That lets nobody in.", 401)
    logger.info("dashboard let somebody in", who=identity.who, role=identity.role)
    response = web.HTTPSeeOther(f"{BASE}/")
    is_secure = request.secure or request.headers.get("x-forwarded-proto") == "https"
    response.set_cookie(
        COOKIE,
        desk.sessions.open(identity),
        max_age=int(desk.sessions.seconds),
        path=BASE,
        secure=is_secure,
        httponly=True,
        samesite="Strict",
    )
    raise response


async def sign_out(request: web.Request) -> web.Response:
    if _is_ours(request):
        response = web.HTTPSeeOther(f"{BASE}/login")
        response.del_cookie(COOKIE, path=BASE)
        raise response
    raise web.HTTPForbidden(text="This form is not one of ours.")


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Of every answer, before it is sent."""
    del request
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


async def _identify(request: web.Request) -> Caller | None:
    desk = request.app[DESK]
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        session = desk.sessions.read(request.cookies.get(COOKIE, ""))
        return None if session is None else Caller(session.identity, session)
    place = request.remote or ""
    if not desk.throttle.is_open(place):
        raise web.HTTPTooManyRequests(text="too many attempts failed\n")
    identity = await desk.gate.admit_bearer(credential.strip())
    if identity is None:
        desk.throttle.note_failure(place)
        return None
    return Caller(identity, None)


def _is_ours(request: web.Request) -> bool:
    return is_same_origin(request.headers.get("origin"), request.host)


def _login_page(request: web.Request, problem: str, status: int) -> web.Response:
    desk = request.app[DESK]
    text = desk.templates.bare(
        "login.html", problem=problem, token=desk.gate.asks_for_token, password=desk.gate.asks_for_password
    )
    return web.Response(text=text, status=status, content_type="text/html")
