"""The worker's HTTP port, for probes and scrapers: GET and HEAD of a few fixed paths, nothing else.

A web framework would be a dependency of every worker for four pages of text. This reads the head of one request, within
limits of size and time, answers it and closes the connection; whatever else a client sends is not read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from loguru import logger

_MAX_HEAD_BYTES = 8192
_MAX_CONNECTIONS = 32
READ_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead)


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Route = Callable[[], Awaitable[Page]]


def json_page(status: int, body: Mapping[str, Any]) -> Page:
    return Page(status, json.dumps(body).encode() + b"\n", "application/json")


@asynccontextmanager
async def open_http_port(address: str, port: int, routes: Mapping[str, Route]) -> AsyncIterator[int]:
    """Answers while the block runs; yields the port's number, which is another one for 0. Raises OSError when taken."""
    slots = anyio.CapacityLimiter(_MAX_CONNECTIONS)

    async def attend(stream: SocketStream) -> None:
        async with stream, slots:
            try:
                await _attend(stream, routes)
            except _GONE:
                return

    listener = await anyio.create_tcp_listener(local_host=address, local_port=port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, attend)
        yield listener.extra_attributes[SocketAttribute.local_port]()
        group.cancel_scope.cancel()


async def _attend(stream: SocketStream, routes: Mapping[str, Route]) -> None:
    head: bytes | None = None
    page = Page(HTTPStatus.REQUEST_TIMEOUT, b"request too slow\n")
    with anyio.move_on_after(READ_SECONDS):
        try:
            head = await BufferedByteReceiveStream(stream).receive_until(b"\r\n\r\n", _MAX_HEAD_BYTES)
        except anyio.DelimiterNotFound:
            page = Page(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b"request too large\n")
    with anyio.move_on_after(_ANSWER_SECONDS):
        method, target = _request_line(head)
        if head is not None:
            page = await _answer(method, target, routes)
        await stream.send(_encode(page, b"" if method == "HEAD" else page.body))


def _request_line(head: bytes | None) -> tuple[str, str]:
    """Method and path, both empty where it is no HTTP."""
    words = (head or b"").split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return "", ""
    return words[0], words[1].partition("?")[0]


async def _answer(method: str, path: str, routes: Mapping[str, Route]) -> Page:
    if not method:
        return Page(HTTPStatus.BAD_REQUEST, b"not HTTP/1\n")
    if path not in routes:
        return Page(HTTPStatus.NOT_FOUND, b"not found\n")
    if method not in {"GET", "HEAD"}:
        return Page(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD\n")
    try:
        return await routes[path]()
    except Exception as error:  # noqa: BLE001 - a service loop: a page that fails must not end the worker
        logger.opt(exception=error).error("page failed", path=path)
        return Page(HTTPStatus.INTERNAL_SERVER_ERROR, b"failed; the log says why\n")


def _encode(page: Page, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}",
        f"content-type: {page.content_type}",
        f"content-length: {len(page.body)}",
        "cache-control: no-store",
        "connection: close",
        *(["allow: GET, HEAD"] if page.status == HTTPStatus.METHOD_NOT_ALLOWED else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
