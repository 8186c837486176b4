"""GoTrue's error answers, in the two shapes that its clients choose between by the API version header."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from aiohttp import web

API_VERSION_HEADER = "X-Supabase-Api-Version"
_API_VERSION = "2024-01-01"
_log = logging.getLogger(__name__)


class AuthError(Exception):
    """An answer that is no success; `code` is one of GoTrue's error codes."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def validation_failed(message: str, status: int = 400) -> AuthError:
    return AuthError(status, "validation_failed", message)


def bad_jwt(message: str) -> AuthError:
    return AuthError(403, "bad_jwt", message)


def render(error: AuthError, api_version: str | None) -> web.Response:
    """Since 2024-01-01 `code` is the error code; before that it was the HTTP status."""
    headers = {"x-sb-error-code": error.code}
    if api_version is not None and api_version >= _API_VERSION:
        body: dict[str, Any] = {"code": error.code, "message": error.message}
        headers[API_VERSION_HEADER] = _API_VERSION
    else:
        body = {"code": error.status, "error_code": error.code, "msg": error.message}
    return web.json_response(body | error.details, status=error.status, headers=headers)


@web.middleware
async def answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except AuthError as error:
        failure = error
    except web.HTTPRequestEntityTooLarge:
        failure = AuthError(413, "request_entity_too_large", "Request body too large (max 1048576 bytes)")
    except psycopg.Error:
        _log.exception("auth: the database refused")
        failure = AuthError(500, "unexpected_failure", "Unexpected failure, please check server logs")
    return render(failure, request.headers.get(API_VERSION_HEADER))
