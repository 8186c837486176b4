"""Storage's error answers: HTTP 400 for nearly everything, with the status that was meant as a string in the body."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import psycopg
from aiohttp import web

_log = logging.getLogger(__name__)


class StorageError(Exception):
    """`error` is the older, client-visible name of `code`."""

    def __init__(self, status: int, code: str, message: str, error: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.error = error or code


def bucket_not_found() -> StorageError:
    return StorageError(404, "NoSuchBucket", "Bucket not found", "Bucket not found")


def object_not_found() -> StorageError:
    return StorageError(404, "NoSuchKey", "Object not found", "not_found")


def access_denied(message: str) -> StorageError:
    return StorageError(403, "AccessDenied", message, "Unauthorized")


def too_large() -> StorageError:
    return StorageError(413, "EntityTooLarge", "The object exceeded the maximum allowed size", "Payload too large")


def duplicate(code: str = "KeyAlreadyExists") -> StorageError:
    return StorageError(409, code, "The resource already exists", "Duplicate")


def invalid_request(message: str) -> StorageError:
    return StorageError(400, "InvalidRequest", message)


def from_database(error: psycopg.Error) -> StorageError:
    match error.sqlstate:
        case "42501":
            by_policy = "row-level security" in str(error)
            return access_denied(
                "new row violates row-level security policy" if by_policy else error.diag.message_primary or ""
            )
        case "23505":
            return duplicate("ResourceAlreadyExists")
        case "23503":
            return StorageError(404, "ResourceNotFound", "The related resource does not exist")
        case "22P02":
            return StorageError(400, "InvalidParameter", error.diag.message_primary or "Invalid value")
        case state:
            return StorageError(500, "DatabaseError", f"database error, code: {state}")


def render(error: StorageError) -> web.Response:
    body = {
        "statusCode": str(error.status),
        "error": error.error,
        "message": error.message,
        "code": error.code,
    }
    return web.json_response(body, status=500 if error.status == 500 else 400)


@web.middleware
async def answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except StorageError as error:
        return render(error)
    except web.HTTPRequestEntityTooLarge:
        return render(too_large())
    except psycopg.Error as error:
        failure = from_database(error)
        if failure.status == 500:
            _log.exception("storage: the database refused")
        return render(failure)
