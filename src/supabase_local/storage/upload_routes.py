"""Uploads: the policies are asked first, then the body is stored, then the row names the new version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from supabase_local.storage.caller import SERVICE, Caller, StorageService, require_caller
from supabase_local.storage.files import StoredFile, remove_versions, write_version
from supabase_local.storage.objects import (
    NewObject,
    ObjectKey,
    find_bucket,
    insert_object,
    lock_version,
    object_key,
    upsert_object,
)
from supabase_local.storage.signing import signed_claims, upload_token
from supabase_local.storage.uploads import (
    MAX_FILE_BYTES,
    Upload,
    check_declared_size,
    check_mime_type,
    header_metadata,
    open_upload,
)

routes = web.RouteTableDef()


@routes.post("/object/{bucket}/{name:.+}")
async def upload(request: web.Request) -> web.Response:
    return await _upload(request, upsert=request.headers.get("x-upsert") == "true")


@routes.put("/object/{bucket}/{name:.+}")
async def replace(request: web.Request) -> web.Response:
    return await _upload(request, upsert=True)


@routes.post("/object/upload/sign/{bucket}/{name:.+}")
async def sign_upload(request: web.Request) -> web.Response:
    caller = require_caller(request)
    key = object_key(request.match_info["bucket"], request.match_info["name"])
    upsert = request.headers.get("x-upsert") == "true"
    service = request.app[SERVICE]
    metadata = {"mimetype": request.headers.get("Content-Type"), "contentLength": request.content_length}
    await _ask_policies(service, NewObject(key, "1", metadata, header_metadata(request), caller), upsert)
    token = upload_token(service, key, caller.owner_id, upsert)
    return web.json_response({"url": f"/object/upload/sign/{key}?token={token}", "token": token})


@routes.put("/object/upload/sign/{bucket}/{name:.+}")
async def upload_signed(request: web.Request) -> web.Response:
    """The token stands for the policies: they were asked when it was signed."""
    service = request.app[SERVICE]
    key = object_key(request.match_info["bucket"], request.match_info["name"])
    claims = signed_claims(service, request.query.get("token", ""), key, "upload")
    caller = Caller({"role": "service_role", "sub": claims.get("owner")})
    object_id = await _store(request, key, caller, upsert=bool(claims.get("upsert")))
    return web.json_response({"Id": object_id, "Key": str(key)})


async def _upload(request: web.Request, upsert: bool) -> web.Response:
    caller = require_caller(request)
    key = object_key(request.match_info["bucket"], request.match_info["name"])
    object_id = await _store(request, key, caller, upsert)
    return web.json_response({"Id": object_id, "Key": str(key)})


async def _store(request: web.Request, key: ObjectKey, caller: Caller, upsert: bool) -> str:
    service = request.app[SERVICE]
    async with service.as_owner() as connection:
        bucket = await find_bucket(connection, key.bucket)
    incoming = await open_upload(request)
    check_mime_type(incoming.mime_type, bucket.allowed_mime_types)
    max_bytes = min(MAX_FILE_BYTES, MAX_FILE_BYTES if bucket.file_size_limit is None else bucket.file_size_limit)
    check_declared_size(request, incoming, max_bytes)
    version = str(uuid4())
    declared = {"mimetype": incoming.mime_type, "contentLength": incoming.declared_size}
    await _ask_policies(service, NewObject(key, version, declared, incoming.user_metadata, caller), upsert)
    file = await write_version(service.directory, version, incoming.body, max_bytes)
    metadata = object_metadata(file, incoming, service.clock())
    return await save_row(service, NewObject(key, version, metadata, incoming.user_metadata, caller))


async def _ask_policies(service: StorageService, new: NewObject, upsert: bool) -> None:
    """Write the row as the caller and take it back: raises what the caller may not do."""
    async with service.acting_for(new.caller) as connection:
        await (upsert_object if upsert else insert_object)(connection, new)
        await connection.rollback()


async def save_row(service: StorageService, new: NewObject) -> str:
    """Point the object at its new version and drop the old file; without a row the new file goes instead."""
    stale: list[str] = [new.version]
    try:
        async with service.as_owner() as connection:
            previous = await lock_version(connection, new.key)
            object_id = await upsert_object(connection, new)
        stale = [previous] if previous else []
    finally:
        await remove_versions(service.directory, stale)
    return str(object_id)


def object_metadata(file: StoredFile, upload: Upload, now: float) -> dict[str, Any]:
    return {
        "eTag": f'"{file.md5}"',
        "size": file.size,
        "mimetype": upload.mime_type,
        "cacheControl": upload.cache_control,
        "lastModified": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "contentLength": file.size,
        "httpStatusCode": 200,
    }
