"""Object contents on disk: one file per version, named by the version's UUID and never by what a user sent."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from uuid import UUID

from supabase_local.storage.errors import too_large

_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    size: int
    md5: str


def version_file(directory: Path, version: str) -> Path:
    """The file of a version; raises ValueError for what is no UUID."""
    return directory / str(UUID(version))


def open_version(directory: Path, version: str) -> BufferedReader:
    """Opened by descriptor: a file that knows its path would have aiohttp offer that as the download's name."""
    return os.fdopen(os.open(version_file(directory, version), os.O_RDONLY), "rb")


async def write_version(directory: Path, version: str, body: AsyncIterable[bytes], max_bytes: int) -> StoredFile:
    """Stream `body` to disk in blocks; a body over `max_bytes` leaves no file behind and raises."""
    path = version_file(directory, version)
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        with await asyncio.to_thread(path.open, "xb") as file:
            async for block in _blocks(_capped(body, max_bytes)):
                size += len(block)
                digest.update(block)
                await asyncio.to_thread(file.write, block)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return StoredFile(size, digest.hexdigest())


async def copy_version(directory: Path, source: str, target: str) -> None:
    await asyncio.to_thread(shutil.copyfile, version_file(directory, source), version_file(directory, target))


async def remove_versions(directory: Path, versions: list[str]) -> None:
    for version in versions:
        await asyncio.to_thread(version_file(directory, version).unlink, missing_ok=True)


async def _capped(body: AsyncIterable[bytes], max_bytes: int) -> AsyncIterable[bytes]:
    size = 0
    async for chunk in body:
        size += len(chunk)
        if size > max_bytes:
            raise too_large()
        yield chunk


async def _blocks(body: AsyncIterable[bytes]) -> AsyncIterable[bytes]:
    """Small network chunks joined, so that each write is worth its thread switch."""
    pending = bytearray()
    async for chunk in body:
        pending += chunk
        if len(pending) >= _BLOCK_BYTES:
            yield bytes(pending)
            pending.clear()
    if pending:
        yield bytes(pending)
