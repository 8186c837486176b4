"""What else can be done to objects: list, sign, move, copy, delete."""

from __future__ import annotations

from uuid import uuid4

from aiohttp import web

from supabase_local.storage.bodies import DeleteObjects, ListObjects, SignObject, SignObjects, Transfer, read_body
from supabase_local.storage.caller import SERVICE, require_caller
from supabase_local.storage.errors import access_denied
from supabase_local.storage.files import copy_version, remove_versions
from supabase_local.storage.listing import folder_prefix, one_level
from supabase_local.storage.objects import (
    NewObject,
    ObjectKey,
    delete_objects,
    find_object,
    insert_object,
    object_key,
    rename_object,
    row_json,
)
from supabase_local.storage.signing import download_url
from supabase_local.storage.upload_routes import save_row

routes = web.RouteTableDef()


@routes.post("/object/list/{bucket}")
async def list_objects(request: web.Request) -> web.Response:
    caller = require_caller(request)
    query = await read_body(request, ListObjects)
    async with request.app[SERVICE].acting_for(caller) as connection:
        cursor = await connection.execute(
            "select * from storage.objects where bucket_id = %s and starts_with(name, %s)",
            (request.match_info["bucket"], folder_prefix(query.prefix)),
        )
        rows = await cursor.fetchall()
    return web.json_response(one_level(rows, query))


@routes.post("/object/sign/{bucket}/{name:.+}")
async def sign_one(request: web.Request) -> web.Response:
    caller, service = require_caller(request), request.app[SERVICE]
    body = await read_body(request, SignObject)
    key = object_key(request.match_info["bucket"], request.match_info["name"])
    async with service.acting_for(caller) as connection:
        await find_object(connection, key)
    return web.json_response({"signedURL": download_url(service, key, body.expiresIn)})


@routes.post("/object/sign/{bucket}")
async def sign_many(request: web.Request) -> web.Response:
    caller, service = require_caller(request), request.app[SERVICE]
    body = await read_body(request, SignObjects)
    bucket = request.match_info["bucket"]
    async with service.acting_for(caller) as connection:
        cursor = await connection.execute(
            "select name from storage.objects where bucket_id = %s and name = any(%s)", (bucket, body.paths)
        )
        visible = {row["name"] for row in await cursor.fetchall()}
    missing = "Either the object does not exist or you do not have access to it"
    return web.json_response(
        [
            {"error": None, "path": path, "signedURL": download_url(service, ObjectKey(bucket, path), body.expiresIn)}
            if path in visible
            else {"error": missing, "path": path, "signedURL": None}
            for path in body.paths
        ]
    )


@routes.delete("/object/{bucket}")
async def delete_many(request: web.Request) -> web.Response:
    caller, service = require_caller(request), request.app[SERVICE]
    body = await read_body(request, DeleteObjects)
    async with service.acting_for(caller) as connection:
        rows = await delete_objects(connection, request.match_info["bucket"], body.prefixes)
    await remove_versions(service.directory, [row["version"] for row in rows if row["version"]])
    return web.json_response([row_json(row) for row in rows])


@routes.delete("/object/{bucket}/{name:.+}")
async def delete_one(request: web.Request) -> web.Response:
    caller, service = require_caller(request), request.app[SERVICE]
    key = object_key(request.match_info["bucket"], request.match_info["name"])
    async with service.as_owner() as connection:
        row = await find_object(connection, key)
    async with service.acting_for(caller) as connection:
        if not await delete_objects(connection, key.bucket, [key.name]):
            raise access_denied("Access denied")
    await remove_versions(service.directory, [row["version"]])
    return web.json_response({"message": "Successfully deleted"})


@routes.post("/object/move")
async def move(request: web.Request) -> web.Response:
    """The file stays where it is: its name is its version's, not its key's."""
    caller = require_caller(request)
    source, target = _ends(await read_body(request, Transfer))
    async with request.app[SERVICE].acting_for(caller) as connection:
        await find_object(connection, source)
        row = await rename_object(connection, source, target)
    return web.json_response({"message": "Successfully moved", "Id": str(row["id"]), "Key": target.name})


@routes.post("/object/copy")
async def copy(request: web.Request) -> web.Response:
    caller, service = require_caller(request), request.app[SERVICE]
    source, target = _ends(await read_body(request, Transfer))
    version = str(uuid4())
    async with service.acting_for(caller) as connection:
        row = await find_object(connection, source)
        new = NewObject(target, version, row["metadata"], row["user_metadata"], caller)
        await insert_object(connection, new)
        await connection.rollback()
    await copy_version(service.directory, row["version"], version)
    object_id = await save_row(service, new)
    return web.json_response({"Id": object_id, "Key": str(target), "id": object_id, "version": version})


def _ends(body: Transfer) -> tuple[ObjectKey, ObjectKey]:
    target = object_key(body.destinationBucket or body.bucketId, body.destinationKey)
    return object_key(body.bucketId, body.sourceKey), target
