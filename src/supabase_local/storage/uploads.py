"""The bodies that clients upload: raw bytes, or a multipart form with the file last."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from supabase_local.storage.errors import StorageError, invalid_request, too_large

MAX_FILE_BYTES = 50 * 1024 * 1024
_MAX_FIELD_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in. `declared_size` is the request's size, the form's overhead included."""

    body: AsyncIterator[bytes]
    mime_type: str
    cache_control: str
    user_metadata: dict[str, Any] | None
    declared_size: int | None


async def open_upload(request: web.Request) -> Upload:
    if request.content_type == "multipart/form-data":
        return await _open_form(request)
    return Upload(
        body=request.content.iter_chunked(_CHUNK_BYTES),
        mime_type=request.headers.get("Content-Type", "application/octet-stream"),
        cache_control=request.headers.get("Cache-Control", "no-cache"),
        user_metadata=header_metadata(request),
        declared_size=request.content_length,
    )


def header_metadata(request: web.Request) -> dict[str, Any] | None:
    """The user's own metadata from `x-metadata` (base64 of JSON); what does not parse counts as absent."""
    try:
        return _json_object(base64.b64decode(request.headers.get("x-metadata", ""), validate=True))
    except binascii.Error:
        return None


def check_mime_type(mime_type: str, allowed: list[str] | None) -> None:
    """`allowed` may hold wildcards such as `image/*`; an empty list allows everything."""
    if not allowed:
        return
    family, _, kind = mime_type.partition("/")
    if not kind or not {mime_type, f"{family}/{kind}", f"{family}/*"} & set(allowed):
        raise StorageError(415, "InvalidMimeType", f"mime type {mime_type} is not supported", "invalid_mime_type")


def check_declared_size(request: web.Request, upload: Upload, max_bytes: int) -> None:
    """Refuse a raw body that says itself that it is too large; a form's size says little about its file."""
    if request.content_type != "multipart/form-data" and (upload.declared_size or 0) > max_bytes:
        raise too_large()


async def _open_form(request: web.Request) -> Upload:
    fields: dict[str, str] = {}
    try:
        form = await request.multipart()
        while isinstance(part := await form.next(), BodyPartReader):
            if part.filename is not None:
                return _from_form(request, part, fields)
            fields[part.name or ""] = await _read_field(part)
    except ValueError as error:
        raise invalid_request("No content provided") from error
    raise invalid_request("No content provided")


def _from_form(request: web.Request, part: BodyPartReader, fields: dict[str, str]) -> Upload:
    seconds = fields.get("cacheControl")
    metadata = fields.get("metadata") or fields.get("userMetadata")
    return Upload(
        body=_chunks(part),
        mime_type=fields.get("contentType") or part.headers.get("Content-Type") or "application/octet-stream",
        cache_control=f"max-age={seconds}" if seconds else "no-cache",
        user_metadata=_json_object(metadata.encode()) if metadata else None,
        declared_size=request.content_length,
    )


async def _read_field(part: BodyPartReader) -> str:
    data = bytearray()
    async for chunk in _chunks(part):
        data += chunk
        if len(data) > _MAX_FIELD_BYTES:
            raise StorageError(413, "EntityTooLarge", "The user_metadata exceeded the maximum allowed size")
    return data.decode(errors="replace")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        yield chunk


def _json_object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
