"""What an Auth request carries: its JSON parameters, and who is asking."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, ValidationError

from supabase_local.auth.errors import AuthError, bad_jwt, validation_failed
from supabase_local.auth.sessions import session_is_open
from supabase_local.auth.users import User, find_user
from supabase_local.tokens import TokenError, verify

_BEARER = re.compile(r"[Bb]earer (\S+)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")
_ADMIN_ROLES = frozenset({"service_role", "supabase_admin"})


@dataclass(frozen=True, slots=True)
class AuthService:
    """What every handler needs. `issuer` is the service's public URL; `clock` gives seconds since the epoch."""

    pool: AsyncConnectionPool[Any]
    jwt_secret: str
    issuer: str
    clock: Callable[[], float]


SERVICE = web.AppKey("auth_service", AuthService)


class SignUp(BaseModel):
    email: str | None = None
    phone: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class PasswordGrant(BaseModel):
    email: str | None = None
    phone: str | None = None
    password: str | None = None


class RefreshGrant(BaseModel):
    refresh_token: str | None = None


class UserUpdate(BaseModel):
    email: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None


class AdminUser(BaseModel):
    id: UUID | None = None
    email: str | None = None
    password: str | None = None
    email_confirm: bool | None = None
    role: str | None = None
    user_metadata: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None


Parameters = TypeVar("Parameters", bound=BaseModel)


async def read_parameters(request: web.Request, model: type[Parameters]) -> Parameters:
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise AuthError(400, "bad_json", f"Could not parse request body as JSON: {reason}") from error


def valid_email(email: str) -> str:
    """The address as stored: lower case."""
    if len(email) > 255:
        raise validation_failed("An email address is too long")
    if _EMAIL.fullmatch(email) is None:
        raise validation_failed("Unable to validate email address: invalid format")
    return email.lower()


@dataclass(frozen=True, slots=True)
class Caller:
    user: User
    session_id: UUID | None


async def require_user(request: web.Request) -> Caller:
    """The user that the bearer token names, where the user and the session still exist."""
    claims = _bearer_claims(request)
    if not claims.get("sub"):
        raise bad_jwt("invalid claim: missing sub claim")
    user_id = _uuid_claim(claims["sub"], "sub")
    session_id = _uuid_claim(claims["session_id"], "session_id") if claims.get("session_id") else None
    async with request.app[SERVICE].pool.connection() as connection:
        user = await find_user(connection, user_id)
        if user is None:
            raise AuthError(403, "user_not_found", "User from sub claim in JWT does not exist")
        if session_id is not None and not await session_is_open(connection, session_id):
            raise AuthError(403, "session_not_found", "Session from session_id claim in JWT does not exist")
    return Caller(user, session_id)


def require_admin(request: web.Request) -> None:
    if _bearer_claims(request).get("role") not in _ADMIN_ROLES:
        raise AuthError(403, "not_admin", "User not allowed")


def _bearer_claims(request: web.Request) -> dict[str, Any]:
    match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token")
    service, now = request.app[SERVICE], request.app[SERVICE].clock()
    prefix = "invalid JWT: unable to parse or verify signature"
    try:
        claims = verify(match[1], service.jwt_secret, now)
    except TokenError as error:
        raise bad_jwt(f"{prefix}, {error.reason}") from error
    if claims.get("exp", now) < now:
        raise bad_jwt(f"{prefix}, token has invalid claims: token is expired")
    return claims


def _uuid_claim(value: object, name: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise bad_jwt(f"invalid claim: {name} claim must be a UUID") from error
