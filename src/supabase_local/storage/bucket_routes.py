"""Buckets: created, read, changed, emptied and deleted as far as the caller's policies allow."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web
from psycopg.errors import UniqueViolation

from supabase_local.storage.bodies import BucketChanges, NewBucket, read_body
from supabase_local.storage.caller import SERVICE, Connection, require_caller
from supabase_local.storage.errors import StorageError, bucket_not_found, duplicate
from supabase_local.storage.files import remove_versions
from supabase_local.storage.objects import row_json

routes = web.RouteTableDef()
_NAME = re.compile(r"[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}")


@routes.get("/bucket")
async def list_buckets(request: web.Request) -> web.Response:
    async with request.app[SERVICE].acting_for(require_caller(request)) as connection:
        rows = await (await connection.execute("select * from storage.buckets order by id")).fetchall()
    return web.json_response([_bucket_json(row) for row in rows])


@routes.get("/bucket/{bucket}")
async def show_bucket(request: web.Request) -> web.Response:
    async with request.app[SERVICE].acting_for(require_caller(request)) as connection:
        return web.json_response(_bucket_json(await _visible(connection, request)))


@routes.post("/bucket")
async def create_bucket(request: web.Request) -> web.Response:
    caller = require_caller(request)
    bucket = await read_body(request, NewBucket)
    if _NAME.fullmatch(bucket.name) is None:
        raise StorageError(400, "InvalidBucketName", "Bucket name invalid", "Invalid Input")
    values = bucket.model_dump() | {"id": bucket.id or bucket.name, "owner": caller.owner, "owner_id": caller.owner_id}
    async with request.app[SERVICE].acting_for(caller) as connection:
        try:
            await connection.execute(
                "insert into storage.buckets"
                " (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types) values (%(id)s, %(name)s,"
                " %(owner)s, %(owner_id)s, %(public)s, %(file_size_limit)s, %(allowed_mime_types)s)",
                values,
            )
        except UniqueViolation as error:
            raise duplicate("BucketAlreadyExists") from error
    return web.json_response({"name": bucket.name})


@routes.put("/bucket/{bucket}")
async def change_bucket(request: web.Request) -> web.Response:
    """A field that the body does not name keeps its value; null in the body clears it."""
    caller = require_caller(request)
    changes = (await read_body(request, BucketChanges)).model_dump(exclude_unset=True)
    async with request.app[SERVICE].acting_for(caller) as connection:
        values = await _visible(connection, request) | changes
        await connection.execute(
            "update storage.buckets set public = coalesce(%(public)s, public), file_size_limit = %(file_size_limit)s,"
            " allowed_mime_types = %(allowed_mime_types)s, updated_at = now() where id = %(id)s",
            values,
        )
    return web.json_response({"message": "Successfully updated"})


@routes.post("/bucket/{bucket}/empty")
async def empty_bucket(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    async with service.acting_for(require_caller(request)) as connection:
        await _visible(connection, request)
        cursor = await connection.execute(
            "delete from storage.objects where bucket_id = %s returning version", (request.match_info["bucket"],)
        )
        rows = await cursor.fetchall()
    await remove_versions(service.directory, [row["version"] for row in rows if row["version"]])
    return web.json_response({"message": "Empty bucket has been queued. Completion may take up to an hour."})


@routes.delete("/bucket/{bucket}")
async def delete_bucket(request: web.Request) -> web.Response:
    service, bucket = request.app[SERVICE], request.match_info["bucket"]
    caller = require_caller(request)
    async with service.as_owner() as connection:
        cursor = await connection.execute("select 1 from storage.objects where bucket_id = %s limit 1", (bucket,))
        if await cursor.fetchone() is not None:
            raise StorageError(409, "ResourceNotEmpty", "The bucket you tried to delete is not empty")
    async with service.acting_for(caller) as connection:
        cursor = await connection.execute("delete from storage.buckets where id = %s", (bucket,))
        if cursor.rowcount == 0:
            raise bucket_not_found()
    return web.json_response({"message": "Successfully deleted"})


async def _visible(connection: Connection, request: web.Request) -> dict[str, Any]:
    cursor = await connection.execute("select * from storage.buckets where id = %s", (request.match_info["bucket"],))
    row = await cursor.fetchone()
    if row is None:
        raise bucket_not_found()
    return row


def _bucket_json(row: dict[str, Any]) -> dict[str, Any]:
    """The real service never answers a null owner: its clients require text."""
    shown = row_json(row)
    columns = ("id", "name", "public", "file_size_limit", "allowed_mime_types", "created_at", "updated_at")
    return {column: shown[column] for column in columns} | {"owner": shown["owner"] or "", "type": "STANDARD"}
