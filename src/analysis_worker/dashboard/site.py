"""The dashboard as a web application: which path is which page or action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from aiohttp import web
from loguru import logger

from analysis_worker.dashboard.actions import ACTIONS, NOTES, Action, outcome
from analysis_worker.dashboard.entrance import (
    DESK,
    Caller,
    Desk,
    harden,
    require_act,
    require_caller,
    require_operator,
    show_login,
    sign_in,
    sign_out,
)
from analysis_worker.dashboard.filters import BadRequestError
from analysis_worker.dashboard.live import MEDIA_TYPE
from analysis_worker.dashboard.rendering import BASE
from analysis_worker.dashboard.views import VIEWS, NotFoundError, Page, View, Visit
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MOST_BODY_BYTES = 16_384
_STATIC = {"dashboard.css": "text/css", "dashboard.js": "text/javascript", "icon.svg": "image/svg+xml"}


def create_site(desk: Desk) -> web.Application:
    """To be mounted at BASE."""
    site = web.Application(middlewares=[_tell_problems], client_max_size=_MOST_BODY_BYTES)
    site[DESK] = desk
    site.on_response_prepare.append(harden)
    site.on_shutdown.append(_close_streams)
    site.router.add_get("/login", show_login)
    site.router.add_post("/login", sign_in)
    site.router.add_post("/logout", sign_out)
    for name, media_type in _STATIC.items():
        site.router.add_get(f"/static/{name}", _file(name, media_type))
    for path, view in VIEWS.items():
        site.router.add_get(path, _show(view))
    for path, action in ACTIONS.items():
        site.router.add_get(path, _ask(action))
        site.router.add_post(path, _act(action))
    return site


def _show(view: View) -> Handler:
    async def show(request: web.Request) -> web.StreamResponse:
        caller = await require_caller(request)
        desk = request.app[DESK]
        if MEDIA_TYPE not in request.headers.get("accept", ""):
            return _respond(request, caller, await view(_visit(request)))

        async def render() -> str:
            return desk.templates.part(await view(_visit(request)), caller.identity)

        return await desk.streams.send(request, render)

    return show


def _ask(action: Action) -> Handler:
    async def ask(request: web.Request) -> web.StreamResponse:
        caller = await require_operator(request)
        question = await action.ask(_visit(request))
        return _respond(
            request, caller, Page(action.title, "confirm.html", {"action": action, "question": question}, is_live=False)
        )

    return ask


def _act(action: Action) -> Handler:
    async def act(request: web.Request) -> web.StreamResponse:
        caller = await require_act(request)
        visit = _visit(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        answer = await visit.queries.act(action.function, action.arguments(visit, form), caller.identity.who)
        logger.info("dashboard acted", function=action.function, who=caller.identity.who)
        if action.note is None:
            return _respond(request, caller, Page(action.title, "contents.html", {"contents": answer}, is_live=False))
        raise web.HTTPSeeOther(f"{BASE}{action.back.format(**visit.place)}?note={outcome(action, answer)}")

    return act


def _visit(request: web.Request) -> Visit:
    return Visit(request.app[DESK].queries, request.query, request.match_info)


def _respond(request: web.Request, caller: Caller, page: Page) -> web.Response:
    desk = request.app[DESK]
    around = {
        "form_token": desk.sessions.form_token(caller.session) if caller.session else "",
        "path": request.path.removeprefix(BASE),
        "note": NOTES.get(request.query.get("note", "")),
    }
    text = desk.templates.whole(page, caller.identity, **around)
    return web.Response(text=text, content_type="text/html")


def _file(name: str, media_type: str) -> Handler:
    body = (files("analysis_worker.dashboard") / "static" / name).read_bytes()

    async def send(request: web.Request) -> web.StreamResponse:
        del request
        headers = {"cache-control": "no-cache"}
        return web.Response(body=body, content_type=media_type, charset="utf-8", headers=headers)

    return send


@web.middleware
async def _tell_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as pages. Those that nobody foresaw are told in the log alone."""
    try:
        return await handler(request)
    except NotFoundError as error:
        return _problem(request, 404, "Not found", str(error))
    except BadRequestError as error:
        return _problem(request, 400, "That cannot be", str(error))
    except StoreRejectedError as error:
        return _problem(request, 409, "The queue refused", str(error))
    except StoreUnavailableError as error:
        logger.warning("dashboard has no answer", error=str(error))
        return _problem(request, 503, "The queue does not answer", "Try again; asking does no harm.")
    except web.HTTPException as error:
        if error.status < 400 or error.status == 401:
            raise
        return _problem(request, error.status, error.reason, error.text or "")


def _problem(request: web.Request, status: int, title: str, text: str) -> web.Response:
    page = request.app[DESK].templates.bare("problem.html", title=title, text=text)
    return web.Response(text=page, status=status, content_type="text/html")


async def _close_streams(site: web.Application) -> None:
    site[DESK].streams.close()
