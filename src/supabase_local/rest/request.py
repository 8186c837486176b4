"""A request as the REST layer sees it: whose it is, what it asks, and what the database is told about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote

from supabase_local.rest.errors import RestError
from supabase_local.rest.media import Media, choose_media
from supabase_local.rest.preferences import Preferences, parse_preferences
from supabase_local.rest.schema_cache import SCHEMA, SEARCH_PATH
from supabase_local.tokens import TokenError, verify

ANONYMOUS = "anon"
_READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Raw:
    """What came over the wire. Header names are lower case; `path` starts with a slash and carries no prefix."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    raw: Raw
    role: str
    claims: Mapping[str, Any]
    query: tuple[tuple[str, str], ...]
    preferences: Preferences
    media: Media
    profile: str | None

    @property
    def is_read(self) -> bool:
        return self.raw.method in _READS

    @property
    def is_anonymous(self) -> bool:
        return self.role == ANONYMOUS

    @property
    def restricts_outcome(self) -> bool:
        """Whether what the database did may be refused for it. All else is found wrong after the commit only."""
        return self.media.is_single or self.preferences.max_affected is not None

    @property
    def content_type(self) -> str:
        given = self.raw.headers.get("content-type", "application/json")
        return given.split(";")[0].strip().lower()

    def parameter(self, name: str) -> str | None:
        """The last value that the query string gives `name`."""
        return next((value for key, value in reversed(self.query) if key == name), None)

    def settings(self, role_settings: Mapping[str, str], extra: Mapping[str, str]) -> str:
        """JSON of all that holds inside the transaction; `extra` comes last and wins."""
        headers = {name: value for name, value in self.raw.headers.items() if name != "cookie"}
        settings = {
            "search_path": SEARCH_PATH,
            **role_settings,
            "role": self.role,
            "request.jwt.claims": _json(self.claims),
            "request.method": self.raw.method,
            "request.path": self.raw.path,
            "request.headers": _json(headers),
            "request.cookies": _json(_cookies(self.raw.headers.get("cookie", ""))),
            **extra,
        }
        return _json(settings)

    def canonical_query(self) -> str:
        """The query string in the order and encoding that `Content-Location` repeats it."""
        values: dict[str, list[str]] = {}
        for name, value in self.query:
            values.setdefault(name, []).append(quote(value, safe=""))
        return "&".join(f"{quote(name, safe='')}={','.join(values[name])}" for name in sorted(values))


def read_request(raw: Raw, jwt_secret: str, now: float) -> Request:
    """Refuses what needs no database to be refused, in PostgREST's order: token, schema, preferences, media type."""
    role, claims = _identify(raw.headers.get("authorization", ""), jwt_secret, now)
    profile = raw.headers.get("accept-profile" if raw.method in _READS else "content-profile")
    if profile is not None and profile != SCHEMA:
        hint = f"Only the following schemas are exposed: {SCHEMA}"
        raise RestError(406, "PGRST106", f"Invalid schema: {profile}", hint=hint)
    if "%00" in raw.query:
        raise RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return Request(
        raw=raw,
        role=role,
        claims=claims,
        query=tuple(parse_qsl(raw.query, keep_blank_values=True)),
        preferences=parse_preferences([raw.headers.get("prefer", "")]),
        media=choose_media(raw.headers.get("accept", "")),
        profile=profile,
    )


def _identify(authorization: str, jwt_secret: str, now: float) -> tuple[str, dict[str, Any]]:
    """The role to take and the claims to publish. Anything that is no bearer token counts as no token."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return ANONYMOUS, {"role": ANONYMOUS}
    try:
        claims = {"role": ANONYMOUS} | verify(token.strip(), jwt_secret, now)
    except TokenError as error:
        code = "PGRST301" if error.kind == "undecodable" else "PGRST303"
        challenge = f'Bearer error="invalid_token", error_description="{error.reason}"'
        headers = (("WWW-Authenticate", challenge),)
        raise RestError(401, code, error.reason, error.details, headers=headers) from error
    role = claims["role"]
    return role if isinstance(role, str) else _json(role), claims


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
