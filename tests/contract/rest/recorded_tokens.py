"""The tokens that the recordings only describe, made anew: `<jwt role=...>`, and the odd ones by their case's name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import jwt

from supabase_local.keys import sign
from tests.contract.rest.recordings import Case

SECRET = "a-secret-of-more-than-sixty-four-signs-that-only-the-tests-of-the-rest-layer-know"
_PLACEHOLDER = re.compile(r"<jwt role=(?P<role>[^,>]*)(,sub=(?P<sub>[^>]*))?>")
_HEADERS_OF_THE_CONNECTION = {"host", "content-length", "connection"}
Claims = dict[str, Any]


def recorded_headers(case: Case) -> list[tuple[str, str]]:
    """The case's headers for a replay, with signed tokens in their places."""
    return [
        (name, _PLACEHOLDER.sub(lambda found: _token(case.name, found["role"], found["sub"]), value))
        for name, value in case.headers
        if name.lower() not in _HEADERS_OF_THE_CONNECTION
    ]


def token(role: object, **more: object) -> str:
    return sign(_claims(role) | more, SECRET)


def _claims(role: object) -> Claims:
    now = int(time.time())
    return {"iss": "supabase", "ref": "local", "role": role, "iat": now - 10, "exp": now + 3600}


def _token(case: str, role: str, subject: str | None) -> str:
    claims = _claims(role) | ({} if subject is None else {"sub": subject})
    if role == "authenticated":
        claims["aud"] = "authenticated"
    return _MADE_BY_NAME.get(case, _sign)(claims)


def _sign(claims: Claims) -> str:
    return sign(claims, SECRET)


def _with(**other: object) -> Callable[[Claims], str]:
    return lambda claims: sign(claims | other, SECRET)


def _at(name: str, seconds: int) -> Callable[[Claims], str]:
    """A time claim that lies so many seconds in the future."""
    return lambda claims: sign(claims | {name: int(time.time()) + seconds}, SECRET)


def _only(*names: str) -> Callable[[Claims], str]:
    return lambda claims: sign({name: claims[name] for name in names}, SECRET)


_EXPIRED = _at("exp", -3600)
_MADE_BY_NAME: dict[str, Callable[[Claims], str]] = {
    "expired 1h ago": _EXPIRED,
    "expired 10s ago (within leeway?)": _at("exp", -10),
    "expired 29s ago": _at("exp", -26),  # the replay must not take the three seconds that are left
    "expired 35s ago": _at("exp", -35),
    "wrong secret": lambda claims: sign(claims, SECRET[::-1]),
    "HS512 with right secret": lambda claims: jwt.encode(claims, SECRET, algorithm="HS512"),
    "alg none": lambda claims: jwt.encode(claims, "", algorithm="none"),
    "no role claim": _only("iss", "ref", "iat", "exp"),
    "nbf in future": _at("nbf", 3600),
    "iat in future": _at("iat", 3600),
    "no exp": _only("iss", "ref", "iat", "role"),
    "exp as string": _only("exp", "role"),  # so the recording's answer says: its exp was a number
    "aud set (jwt-aud unset)": _with(aud="whatever"),
    "aud array": _with(aud=["a", "b"]),
    "role array": _with(role=["anon"]),
    "exp string": _with(exp="soon"),
    "aud number": _with(aud=1),
    "unknown fn with expired token (auth first?)": _EXPIRED,
    "invalid json with expired token": _EXPIRED,
    "GET with expired": _EXPIRED,
    "HEAD with expired": _EXPIRED,
    "root with expired": _EXPIRED,
    "token expiring now (within 30s leeway)": _at("exp", -16),
    "same token 6s later (cache)": _at("exp", -35),
    "expired key": _EXPIRED,
    "expired": _EXPIRED,
}
