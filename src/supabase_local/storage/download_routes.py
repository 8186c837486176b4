"""Reading objects: by policy, publicly, by signed URL; their content, their headers or their description."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from io import BufferedReader
from typing import Any
from urllib.parse import quote

from aiohttp import web

from supabase_local.storage.caller import SERVICE, Caller, StorageService, optional_caller, require_caller
from supabase_local.storage.errors import bucket_not_found, object_not_found
from supabase_local.storage.files import open_version
from supabase_local.storage.objects import ObjectKey, find_bucket, find_object, object_key, row_json
from supabase_local.storage.signing import signed_claims

routes = web.RouteTableDef()
Row = dict[str, Any]


@routes.get("/object/{bucket}/{name:.+}")
async def download(request: web.Request) -> web.Response:
    return await _content(request, await _readable(request, optional_caller(request)))


@routes.get("/object/authenticated/{bucket}/{name:.+}")
async def download_authenticated(request: web.Request) -> web.Response:
    return await _content(request, await _readable(request, require_caller(request)))


@routes.get("/object/public/{bucket}/{name:.+}")
async def download_public(request: web.Request) -> web.Response:
    return await _content(request, await _readable(request, None))


@routes.get("/object/sign/{bucket}/{name:.+}")
async def download_signed(request: web.Request) -> web.Response:
    service, key = request.app[SERVICE], _key(request)
    claims = signed_claims(service, request.query.get("token", ""), key, "download")
    async with service.as_owner() as connection:
        row = await find_object(connection, key)
    expires = format_datetime(datetime.fromtimestamp(claims["exp"], UTC), usegmt=True)
    return await _content(request, row, expires)


@routes.get("/object/info/{bucket}/{name:.+}")
@routes.get("/object/info/authenticated/{bucket}/{name:.+}")
async def describe(request: web.Request) -> web.Response:
    return web.json_response(_description(await _readable(request, require_caller(request))))


@routes.get("/object/info/public/{bucket}/{name:.+}")
async def describe_public(request: web.Request) -> web.Response:
    return web.json_response(_description(await _readable(request, None)))


async def _readable(request: web.Request, caller: Caller | None) -> Row:
    """The row where the bucket is public or the caller's policies show it."""
    service, key = request.app[SERVICE], _key(request)
    async with service.as_owner() as connection:
        bucket = await find_bucket(connection, key.bucket)
        if bucket.public:
            return await find_object(connection, key)
    if caller is None:
        raise bucket_not_found()
    async with service.acting_for(caller) as connection:
        return await find_object(connection, key)


async def _content(request: web.Request, row: Row, expires: str | None = None) -> web.Response:
    headers = _headers(row, expires) | _disposition(request)
    if request.method == "HEAD":
        return web.Response(headers=headers | {"Content-Length": str(row["metadata"]["size"])})
    return web.Response(body=await _open(request.app[SERVICE], row), headers=headers)


async def _open(service: StorageService, row: Row) -> BufferedReader:
    try:
        return await asyncio.to_thread(open_version, service.directory, row["version"])
    except FileNotFoundError as error:
        raise object_not_found() from error


def _headers(row: Row, expires: str | None) -> dict[str, str]:
    metadata = row["metadata"]
    modified = datetime.fromisoformat(metadata["lastModified"])
    return {
        "Content-Type": metadata["mimetype"],
        "ETag": metadata["eTag"],
        "Last-Modified": format_datetime(modified, usegmt=True),
        "X-Robots-Tag": "none",
        **({"Expires": expires} if expires else {"Cache-Control": metadata["cacheControl"]}),
    }


def _disposition(request: web.Request) -> dict[str, str]:
    match request.query.get("download"):
        case None:
            return {}
        case "":
            return {"Content-Disposition": "attachment;"}
        case name:
            quoted = quote(name, safe="")
            return {"Content-Disposition": f"attachment; filename={quoted}; filename*=UTF-8''{quoted}"}


def _description(row: Row) -> dict[str, Any]:
    shown, metadata = row_json(row), row["metadata"]
    return {
        **{name: shown[name] for name in ("id", "name", "version", "bucket_id")},
        "size": metadata["size"],
        "content_type": metadata["mimetype"],
        "cache_control": metadata["cacheControl"],
        "etag": metadata["eTag"],
        "metadata": row["user_metadata"],
        "last_modified": shown["updated_at"],
        "created_at": shown["created_at"],
    }


def _key(request: web.Request) -> ObjectKey:
    return object_key(request.match_info["bucket"], request.match_info["name"])
