"""`storage.buckets` and `storage.objects`: rows read and written on a connection that says whose eyes look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from supabase_local.storage.caller import Caller, Connection
from supabase_local.storage.errors import StorageError, bucket_not_found, object_not_found

_NAME = re.compile(r"[A-Za-z0-9_/!.*'() &$=@;:+,?-]+")


@dataclass(frozen=True, slots=True)
class Bucket:
    id: str
    public: bool
    file_size_limit: int | None
    allowed_mime_types: list[str] | None


@dataclass(frozen=True, slots=True)
class ObjectKey:
    bucket: str
    name: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.name}"


@dataclass(frozen=True, slots=True)
class NewObject:
    """A row to write; `metadata` is Storage's own (size, eTag ...), `user_metadata` the caller's."""

    key: ObjectKey
    version: str
    metadata: dict[str, Any]
    user_metadata: dict[str, Any] | None
    caller: Caller

    def values(self) -> dict[str, Any]:
        return {
            "bucket": self.key.bucket,
            "name": self.key.name,
            "owner": self.caller.owner,
            "owner_id": self.caller.owner_id,
            "version": self.version,
            "metadata": Jsonb(self.metadata),
            "user_metadata": None if self.user_metadata is None else Jsonb(self.user_metadata),
        }


def object_key(bucket: str, name: str) -> ObjectKey:
    """Refuses what the real service's key rules refuse, and dot segments."""
    if _NAME.fullmatch(name) is None or {".", ".."} & set(name.split("/")):
        raise StorageError(400, "InvalidKey", f"Invalid key: {name}")
    return ObjectKey(bucket, name)


async def find_bucket(connection: Connection, bucket_id: str) -> Bucket:
    row = await (
        await connection.execute(
            "select id, public, file_size_limit, allowed_mime_types from storage.buckets where id = %s", (bucket_id,)
        )
    ).fetchone()
    if row is None:
        raise bucket_not_found()
    return Bucket(**row)


async def find_object(connection: Connection, key: ObjectKey) -> dict[str, Any]:
    """The whole row."""
    cursor = await connection.execute(
        "select * from storage.objects where bucket_id = %s and name = %s", (key.bucket, key.name)
    )
    row = await cursor.fetchone()
    if row is None:
        raise object_not_found()
    return row


async def lock_version(connection: Connection, key: ObjectKey) -> str | None:
    """The version that is current until this transaction ends; None for a new object."""
    cursor = await connection.execute(
        "select version from storage.objects where bucket_id = %s and name = %s for update", (key.bucket, key.name)
    )
    row = await cursor.fetchone()
    return None if row is None else row["version"]


_INSERT: LiteralString = """
    insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata, user_metadata)
    values (%(bucket)s, %(name)s, %(owner)s, %(owner_id)s, %(version)s, %(metadata)s, %(user_metadata)s)"""
_ON_CONFLICT: LiteralString = """
    on conflict (bucket_id, name) do update set
        owner = excluded.owner, owner_id = excluded.owner_id, version = excluded.version,
        metadata = excluded.metadata, user_metadata = excluded.user_metadata, updated_at = now()"""


async def insert_object(connection: Connection, new: NewObject) -> None:
    await connection.execute(_INSERT, new.values())


async def upsert_object(connection: Connection, new: NewObject) -> UUID:
    row = await (await connection.execute(_INSERT + _ON_CONFLICT + " returning id", new.values())).fetchone()
    if row is None:
        raise object_not_found()
    return UUID(str(row["id"]))


async def rename_object(connection: Connection, source: ObjectKey, target: ObjectKey) -> dict[str, Any]:
    row = await (
        await connection.execute(
            "update storage.objects set bucket_id = %s, name = %s, updated_at = now()"
            " where bucket_id = %s and name = %s returning *",
            (target.bucket, target.name, source.bucket, source.name),
        )
    ).fetchone()
    if row is None:
        raise object_not_found()
    return row


async def delete_objects(connection: Connection, bucket: str, names: list[str]) -> list[dict[str, Any]]:
    """The rows that were there, that the caller may see, and may delete."""
    cursor = await connection.execute(
        "delete from storage.objects where bucket_id = %s and name = any(%s) returning *", (bucket, names)
    )
    return await cursor.fetchall()


def row_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON: times as ISO 8601 with Z, UUIDs as text, no generated columns."""
    return {name: _json_value(value) for name, value in row.items() if name != "path_tokens"}


def _json_value(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case UUID():
            return str(value)
        case _:
            return value
