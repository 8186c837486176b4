"""Read a bearer token the way Supabase's services do: HS256, and the claims that say from when until when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import jwt
from jwt.types import Options

from supabase_local.keys import ALGORITHM

LEEWAY_S = 30
_SIGNATURE_ONLY: Options = {  # the claims are checked below, against the caller's clock
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_iss": False,
    "verify_jti": False,
    "verify_nbf": False,
    "verify_sub": False,
}
_NO_KEY = "No suitable key or wrong key type"

Claims = dict[str, Any]


@dataclass(slots=True)
class TokenError(Exception):
    """`undecodable`: nobody can say whose token this is. `unacceptable`: well signed, but its claims forbid its use."""

    kind: Literal["undecodable", "unacceptable"]
    reason: str
    details: str | None = None


def verify(token: str, secret: str, now: float) -> Claims:
    """The token's claims. `now` is in seconds since the epoch. Raises TokenError with PostgREST's words for it."""
    if (parts := token.count(".") + 1) != 3:
        raise TokenError("undecodable", f"Expected 3 parts in JWT; got {parts}")
    claims = _decode(token, secret)
    _check_times(claims, now)
    _check_audience(claims)
    return claims


@lru_cache(1000)
def _decode(token: str, secret: str) -> Claims:
    """Clients show the same token again and again. The claims are not to be changed."""
    try:
        algorithm = jwt.get_unverified_header(token).get("alg")
        if algorithm == "none":
            unsecured = "JWT is unsecured but expected 'alg' was not 'none'"
            raise TokenError("undecodable", "Wrong or unsupported encoding algorithm", unsecured)
        if algorithm != ALGORITHM:
            raise TokenError("undecodable", _NO_KEY, "No suitable key was found to decode the JWT")
        claims: Claims = jwt.decode(token, secret, algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)
    except jwt.InvalidSignatureError as error:
        raise TokenError("undecodable", _NO_KEY, "None of the keys was able to decode the JWT") from error
    except jwt.InvalidTokenError as error:
        raise TokenError("undecodable", "JWT cryptographic operation failed") from error
    return claims


def _check_times(claims: Claims, now: float) -> None:
    if now > _time(claims, "exp", now) + LEEWAY_S:
        raise TokenError("unacceptable", "JWT expired")
    if now < _time(claims, "nbf", now) - LEEWAY_S:
        raise TokenError("unacceptable", "JWT not yet valid")
    if now < _time(claims, "iat", now) - LEEWAY_S:
        raise TokenError("unacceptable", "JWT issued at future")


def _time(claims: Claims, name: str, otherwise: float) -> float:
    match claims.get(name):
        case None:
            return otherwise
        case int() | float() as value if not isinstance(value, bool):
            return value
    raise TokenError("unacceptable", f"The JWT '{name}' claim must be a number")


def _check_audience(claims: Claims) -> None:
    match claims.get("aud"):
        case None | str():
            return
        case [*names] if all(isinstance(name, str) for name in names):
            return
    raise TokenError("unacceptable", "The JWT 'aud' claim must be a string or an array of strings")
