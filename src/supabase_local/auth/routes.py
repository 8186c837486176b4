"""The endpoints that a signed-out or signed-in user calls."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from aiohttp import web
from psycopg.errors import UniqueViolation

from supabase_local.auth.errors import AuthError, validation_failed
from supabase_local.auth.passwords import check_strength, hash_password, password_matches
from supabase_local.auth.requests import (
    SERVICE,
    AuthService,
    PasswordGrant,
    RefreshGrant,
    SignUp,
    UserUpdate,
    read_parameters,
    require_user,
    valid_email,
)
from supabase_local.auth.sessions import (
    Session,
    SignInMethod,
    SignOutScope,
    close_sessions,
    open_session,
    rotate,
    session_json,
)
from supabase_local.auth.users import User, UserChanges, email_taken, find_user, find_user_by_email, update_user
from supabase_local.auth.users import insert_user as store_user

routes = web.RouteTableDef()
EMAIL_PROVIDER: dict[str, Any] = {"provider": "email", "providers": ["email"]}


@routes.get("/health")
async def health(_: web.Request) -> web.Response:
    description = "GoTrue is a user registration and authentication API"
    return web.json_response({"version": "supabase-local", "name": "GoTrue", "description": description})


@routes.get("/settings")
async def settings(_: web.Request) -> web.Response:
    return web.json_response(
        {
            "external": {"anonymous_users": True, "email": True, "phone": False},
            "disable_signup": False,
            "mailer_autoconfirm": True,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
        }
    )


@routes.post("/signup")
async def sign_up(request: web.Request) -> web.Response:
    parameters = await read_parameters(request, SignUp)
    if parameters.phone:
        raise AuthError(400, "phone_provider_disabled", "Phone signups are disabled")
    if not parameters.email:
        changes = UserChanges(is_anonymous=True, user_metadata=parameters.data or {})
        return await _sign_in_new_user(request.app[SERVICE], changes, "anonymous")
    if not parameters.password:
        raise validation_failed("Signup requires a valid password")
    check_strength(parameters.password)
    changes = UserChanges(
        email=valid_email(parameters.email),
        encrypted_password=await asyncio.to_thread(hash_password, parameters.password),
        email_confirmed=True,
        app_metadata=EMAIL_PROVIDER,
        user_metadata=parameters.data or {},
    )
    return await _sign_in_new_user(request.app[SERVICE], changes, "password")


@routes.post("/token")
async def grant_token(request: web.Request) -> web.Response:
    match request.query.get("grant_type"):
        case "password":
            return await _password_grant(request)
        case "refresh_token":
            return await _refresh_grant(request)
        case _:
            raise AuthError(400, "invalid_credentials", "unsupported_grant_type")


@routes.get("/user")
async def get_user(request: web.Request) -> web.Response:
    return web.json_response((await require_user(request)).user.to_json())


@routes.put("/user")
async def change_user(request: web.Request) -> web.Response:
    caller = await require_user(request)
    parameters = await read_parameters(request, UserUpdate)
    changes = await _own_changes(caller.user, parameters)
    async with request.app[SERVICE].pool.connection() as connection:
        try:
            user = await update_user(connection, caller.user.id, changes)
        except UniqueViolation as error:
            raise email_taken() from error
    return web.json_response(user.to_json())


@routes.post("/logout")
async def sign_out(request: web.Request) -> web.Response:
    caller = await require_user(request)
    scope = _sign_out_scope(request.query.get("scope"))
    async with request.app[SERVICE].pool.connection() as connection:
        await close_sessions(connection, caller.user.id, caller.session_id, scope)
    return web.Response(status=204)


def _sign_out_scope(text: str | None) -> SignOutScope:
    match text:
        case None | "" | "global":
            return "global"
        case "local" | "others":
            return text
        case _:
            raise validation_failed(f'Unsupported logout scope "{text}"')


async def _password_grant(request: web.Request) -> web.Response:
    parameters = await read_parameters(request, PasswordGrant)
    if not parameters.email:
        raise validation_failed("missing email or phone")
    service = request.app[SERVICE]
    async with service.pool.connection() as connection:
        user = await find_user_by_email(connection, parameters.email)
    if user is None or user.encrypted_password is None:
        raise AuthError(400, "invalid_credentials", "Invalid login credentials")
    if not await asyncio.to_thread(password_matches, parameters.password or "", user.encrypted_password):
        raise AuthError(400, "invalid_credentials", "Invalid login credentials")
    if user.email_confirmed_at is None:
        raise AuthError(400, "email_not_confirmed", "Email not confirmed")
    async with service.pool.connection() as connection:
        user, session = await open_session(connection, user.id, "password")
    return _signed_in(service, user, session)


async def _refresh_grant(request: web.Request) -> web.Response:
    parameters = await read_parameters(request, RefreshGrant)
    if not parameters.refresh_token:
        raise validation_failed("Refresh token is not valid")
    service = request.app[SERVICE]
    async with service.pool.connection() as connection:
        session = await rotate(connection, parameters.refresh_token)
        user = await find_user(connection, session.user_id) if session else None
    if session is None or user is None:
        raise AuthError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    return _signed_in(service, user, session)


async def _sign_in_new_user(service: AuthService, changes: UserChanges, method: SignInMethod) -> web.Response:
    user_id = uuid4()
    if changes.email is not None:
        verified = {"email": changes.email, "email_verified": True, "phone_verified": False, "sub": str(user_id)}
        changes.user_metadata.update(verified)
    async with service.pool.connection() as connection:
        try:
            await store_user(connection, user_id, changes)
        except UniqueViolation as error:
            raise AuthError(422, "user_already_exists", "User already registered") from error
        user, session = await open_session(connection, user_id, method)
    return _signed_in(service, user, session)


async def _own_changes(user: User, parameters: UserUpdate) -> UserChanges:
    """What a user may change; an anonymous one who gives an e-mail address becomes a permanent one."""
    if parameters.app_metadata is not None:
        raise AuthError(403, "not_admin", "Updating app_metadata requires admin privileges")
    email = valid_email(parameters.email) if parameters.email else None
    password = None
    if parameters.password:
        if user.is_anonymous and email is None:
            message = "Updating password of an anonymous user without an email or phone is not allowed"
            raise validation_failed(message, status=422)
        password = await _new_password(user, parameters.password)
    return UserChanges(
        email=email,
        encrypted_password=password,
        is_anonymous=False if email else None,
        email_confirmed=True if email else None,
        app_metadata=EMAIL_PROVIDER if email and user.is_anonymous else {},
        user_metadata=parameters.data or {},
    )


async def _new_password(user: User, password: str) -> str:
    check_strength(password)
    stored = user.encrypted_password
    if stored is not None and await asyncio.to_thread(password_matches, password, stored):
        raise AuthError(422, "same_password", "New password should be different from the old password.")
    return await asyncio.to_thread(hash_password, password)


def _signed_in(service: AuthService, user: User, session: Session) -> web.Response:
    now = int(service.clock())
    return web.json_response(session_json(user, session, now, service.jwt_secret, service.issuer))
