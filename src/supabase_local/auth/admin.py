"""The endpoints that only the service role may call."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from aiohttp import web
from psycopg.errors import UniqueViolation

from supabase_local.auth.errors import AuthError, validation_failed
from supabase_local.auth.passwords import check_strength, hash_password
from supabase_local.auth.requests import SERVICE, AdminUser, read_parameters, require_admin, valid_email
from supabase_local.auth.routes import EMAIL_PROVIDER
from supabase_local.auth.users import (
    UserChanges,
    delete_user,
    email_taken,
    find_user,
    insert_user,
    list_users,
    update_user,
)

routes = web.RouteTableDef()
_PAGE_SIZE = 50


@routes.post("/admin/users")
async def create(request: web.Request) -> web.Response:
    require_admin(request)
    parameters = await read_parameters(request, AdminUser)
    if not parameters.email:
        raise validation_failed("Cannot create a user without either an email or phone")
    changes = await _changes(parameters)
    changes.app_metadata.update(EMAIL_PROVIDER)
    async with request.app[SERVICE].pool.connection() as connection:
        try:
            user = await insert_user(connection, parameters.id or uuid4(), changes)
        except UniqueViolation as error:
            raise email_taken() from error
    return web.json_response(user.to_json())


@routes.get("/admin/users")
async def list_page(request: web.Request) -> web.Response:
    require_admin(request)
    page = _whole_number(request.query.get("page"), 1)
    size = _whole_number(request.query.get("per_page"), _PAGE_SIZE)
    async with request.app[SERVICE].pool.connection() as connection:
        users, total = await list_users(connection, size, (page - 1) * size)
    body = {"users": [user.to_json() for user in users], "aud": "authenticated"}
    return web.json_response(body, headers={"X-Total-Count": str(total)})


@routes.get("/admin/users/{user_id}")
async def show(request: web.Request) -> web.Response:
    require_admin(request)
    async with request.app[SERVICE].pool.connection() as connection:
        user = await find_user(connection, _user_id(request))
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")
    return web.json_response(user.to_json())


@routes.put("/admin/users/{user_id}")
async def change(request: web.Request) -> web.Response:
    require_admin(request)
    changes = await _changes(await read_parameters(request, AdminUser))
    async with request.app[SERVICE].pool.connection() as connection:
        try:
            user = await update_user(connection, _user_id(request), changes)
        except UniqueViolation as error:
            raise email_taken() from error
    return web.json_response(user.to_json())


@routes.delete("/admin/users/{user_id}")
async def remove(request: web.Request) -> web.Response:
    require_admin(request)
    async with request.app[SERVICE].pool.connection() as connection:
        if not await delete_user(connection, _user_id(request)):
            raise AuthError(404, "user_not_found", "User not found")
    return web.json_response({})


async def _changes(parameters: AdminUser) -> UserChanges:
    password = None
    if parameters.password:
        check_strength(parameters.password)
        password = await asyncio.to_thread(hash_password, parameters.password)
    return UserChanges(
        email=valid_email(parameters.email) if parameters.email else None,
        encrypted_password=password,
        email_confirmed=parameters.email_confirm,
        role=parameters.role,
        app_metadata=dict(parameters.app_metadata or {}),
        user_metadata=parameters.user_metadata or {},
    )


def _user_id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["user_id"])
    except ValueError as error:
        raise validation_failed("user_id must be an UUID", status=404) from error


def _whole_number(text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise validation_failed(f"Bad Pagination Parameters: invalid number {text!r}")
    return int(text)
