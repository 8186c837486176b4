"""Who a token speaks for, and how the real server words its refusals."""

from __future__ import annotations

import json
from dataclasses import dataclass

import jwt
from jwt.types import Options

from supabase_local.keys import ALGORITHM

_ONLY_THE_SIGNATURE: Options = {
    "verify_exp": False,
    "verify_aud": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_sub": False,
    "verify_jti": False,
}


class JoinRefusedError(Exception):
    """`code` is Realtime's name for the error, `message` what clients see."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TokenRefusedError(JoinRefusedError):
    """The token is malformed, forged or lacks a claim."""


class TokenExpiredError(TokenRefusedError):
    pass


@dataclass(frozen=True, slots=True)
class Viewer:
    """On whose behalf rows are read. Equal viewers see the same rows."""

    role: str
    claims_json: str


@dataclass(frozen=True, slots=True)
class Claims:
    viewer: Viewer
    expires_at: float


def read_claims(token: str, secret: str, now: float) -> Claims:
    """Raises TokenRefusedError. `now` is Unix time in seconds."""
    try:
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], options=_ONLY_THE_SIGNATURE)
    except jwt.InvalidSignatureError as error:
        raise TokenRefusedError("JwtSignatureError", "Failed to validate JWT signature") from error
    except jwt.InvalidTokenError as error:
        raise TokenRefusedError("MalformedJWT", "The token provided is not a valid JWT") from error
    role, expires_at = claims.get("role"), claims.get("exp")
    if not isinstance(role, str) or not isinstance(expires_at, int | float):
        raise TokenRefusedError("InvalidJWTToken", "Fields `role` and `exp` are required in JWT")
    if expires_at <= now:
        raise expired(expires_at, now)
    return Claims(Viewer(role, json.dumps(claims, sort_keys=True)), expires_at)


def expired(expires_at: float, now: float) -> TokenExpiredError:
    message = f"Token has expired {int(now - expires_at)} seconds ago"
    return TokenExpiredError("InvalidJWTToken", message)
