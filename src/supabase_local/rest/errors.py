"""Every way to say no: PostgREST's error body, and the HTTP status that each SQLSTATE becomes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, TypeVar

import psycopg
from pydantic import BaseModel, Field, ValidationError

Headers = tuple[tuple[str, str], ...]

_STATUS_BY_CODE = {
    "23503": 409, "23505": 409, "25006": 405, "53400": 500, "57P01": 503, "42883": 404, "42P01": 404, "42P17": 500,
    "21000": 500, "P0001": 400,
}  # fmt: skip
_STATUS_BY_CLASS = {
    "08": 503, "09": 500, "0L": 403, "0P": 403, "25": 500, "28": 403, "2D": 500, "38": 500, "39": 500, "3B": 500,
    "40": 500, "53": 503, "54": 500, "55": 500, "57": 500, "58": 500, "F0": 500, "HV": 500, "P0": 500, "XX": 500,
}  # fmt: skip
_CHALLENGE = (("WWW-Authenticate", "Bearer"),)
_ABOUT_MESSAGE = (
    "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'."
)
_ABOUT_DETAIL = (
    "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'."
)


class _RaisedMessage(BaseModel, strict=True):
    code: str
    message: str
    details: str | None = None
    hint: str | None = None


class _RaisedDetail(BaseModel, strict=True):
    status: Annotated[int, Field(ge=200, le=999)]
    headers: dict[str, str]
    status_text: str | None = None


_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(slots=True)
class RestError(Exception):
    """An answer that is an error. `reason` is the HTTP reason phrase where it is not the usual one."""

    status: int
    code: str
    message: str
    details: str | None = None
    hint: str | None = None
    headers: Headers = ()
    reason: str | None = None

    def body(self) -> str:
        fields = {"code": self.code, "details": self.details, "hint": self.hint, "message": self.message}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def unavailable(code: str, message: str, details: str | None = None) -> RestError:
    return RestError(503, code, message, details)


def no_schema() -> RestError:
    return unavailable("PGRST002", "Could not query the database for the schema cache. Retrying.")


def lost_in_flight() -> RestError:
    message = "Database client error. Retrying the connection."
    return unavailable("PGRST001", message, "no connection to the server\n")


def pool_exhausted() -> RestError:
    return RestError(504, "PGRST003", "Timed out acquiring connection from connection pool.")


def from_postgres(error: psycopg.Error, role_is_anonymous: bool) -> RestError:
    """The answer to what the server, or psycopg on its behalf, refused."""
    if error.sqlstate is None:
        if isinstance(error, psycopg.DataError):  # psycopg refuses NUL before the server can
            return RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
        return RestError(400, "", "")  # what the real one says of a connection that broke without a word
    message = error.diag.message_primary or ""
    details, hint = error.diag.message_detail, error.diag.message_hint
    code = error.sqlstate
    if code == "PGRST":
        return _from_raised_json(message, details)
    if code.startswith("PT"):
        return _from_raised_status(RestError(500, code, message, details, hint))
    status = _status(code, message, role_is_anonymous)
    return RestError(status, code, message, details, hint, _CHALLENGE if status == 401 else ())


def _status(code: str, message: str, role_is_anonymous: bool) -> int:
    if code == "42501":
        return 401 if role_is_anonymous else 403
    if code == "22023" and message.startswith('role "') and message.endswith("does not exist"):
        return 401
    return _STATUS_BY_CODE.get(code) or _STATUS_BY_CLASS.get(code[:2], 400)


def _from_raised_status(error: RestError) -> RestError:
    """PTxyz: status xyz, and the message as reason phrase. Only its first line: aiohttp refuses to send more."""
    digits = error.code[2:]
    if digits.isascii() and digits.isdigit() and int(digits) >= 200:
        error.status = int(digits)
        error.reason = (error.message.splitlines() or [""])[0]
    return error


def _from_raised_json(message: str, details: str | None) -> RestError:
    """`raise sqlstate 'PGRST'`: the message and the detail are JSON that describe the whole answer."""
    content = _parse(message, _RaisedMessage)
    if content is None:
        return _bad_raise(f"Invalid JSON value for MESSAGE: '{message}'", _ABOUT_MESSAGE)
    if details is None:
        return _bad_raise("DETAIL is missing in the RAISE statement", _ABOUT_DETAIL)
    form = _parse(details, _RaisedDetail)
    if form is None:
        return _bad_raise(f"Invalid JSON value for DETAIL: '{details}'", _ABOUT_DETAIL)
    headers = tuple(form.headers.items())
    return RestError(
        form.status, content.code, content.message, content.details, content.hint, headers, form.status_text
    )


def _parse(text: str, model: type[_Model]) -> _Model | None:
    try:
        return model.model_validate_json(text)
    except ValidationError:
        return None


def _bad_raise(details: str, hint: str) -> RestError:
    return RestError(500, "PGRST121", "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error", details, hint)
