"""The worker's HTTP port: what it answers, and what it bears."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from pydantic import SecretStr

from analysis_worker import ConfigurationError, Settings
from analysis_worker.adapters import http_port
from analysis_worker.adapters.http_port import Page, open_http_port
from analysis_worker.monitoring import open_monitoring

pytestmark = pytest.mark.anyio


async def hello() -> Page:
    return Page(200, b"hello\n")


async def broken() -> Page:
    raise ZeroDivisionError("on purpose")


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    async with open_http_port("127.0.0.1", 0, {"/hello": hello, "/broken": broken}) as port:
        yield port


async def say(port: int, request: bytes) -> bytes:
    """All that comes back until the port closes the connection."""
    received = b""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        with contextlib.suppress(anyio.BrokenResourceError):
            await stream.send(request)
        with anyio.fail_after(10), contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while True:
                received += await stream.receive()
    return received


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/hello", 200),
        ("GET", "/hello?x=1", 200),
        ("HEAD", "/hello", 200),
        ("GET", "/", 404),
        ("GET", "/hello/", 404),
        ("POST", "/hello", 405),
        ("GET", "/broken", 500),
    ],
)
async def test_only_known_pages_are_shown_and_only_shown(method: str, path: str, status: int) -> None:
    async with served() as port, httpx.AsyncClient() as client:
        response = await client.request(method, f"http://127.0.0.1:{port}{path}")
    assert response.status_code == status
    assert response.headers["connection"] == "close"
    if status == 200:
        assert (response.headers["content-length"], response.text) == ("6", "" if method == "HEAD" else "hello\n")


async def test_a_page_that_fails_tells_nothing_of_why() -> None:
    async with served() as port:
        answer = await say(port, b"GET /broken HTTP/1.1\r\n\r\n")
    assert b"500 Internal Server Error" in answer
    assert b"on purpose" not in answer


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET /hello\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET /../hello HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 "),
        (b"PRI * HTTP/2.0\r\n\r\n", b"HTTP/1.1 400 "),
        (b"\xff\xfe\x00 \x00 \x00\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET /hello HTTP/1.1\r\nX: " + b"x" * 10_000, b"HTTP/1.1 431 "),
    ],
)
async def test_what_is_no_request_is_refused(request_: bytes, answer: bytes) -> None:
    async with served() as port:
        assert (await say(port, request_)).startswith(answer)
        assert b"hello" in await say(port, b"GET /hello HTTP/1.1\r\n\r\n")


async def test_a_client_that_dawdles_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_port, "READ_SECONDS", 0.05)
    async with served() as port:
        assert (await say(port, b"GET /hello HT")).startswith(b"HTTP/1.1 408 ")


async def test_clients_that_hang_up_harm_nobody() -> None:
    async with served() as port:
        for request in (b"", b"GET /he", b"GET /hello HTTP/1.1\r\n\r\n"):
            stream = await anyio.connect_tcp("127.0.0.1", port)
            await stream.send(request or b"G")
            await stream.aclose()
        assert b"hello" in await say(port, b"GET /hello HTTP/1.1\r\n\r\n")


async def test_more_clients_than_there_are_places_take_turns() -> None:
    answers: list[bytes] = []

    async def ask(port: int) -> None:
        answers.append(await say(port, b"GET /hello HTTP/1.1\r\n\r\n"))

    async with served() as port, anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(ask, port)
        with anyio.fail_after(10):
            while len(answers) < 100:  # noqa: ASYNC110 - bounded above
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert all(answer.endswith(b"hello\n") for answer in answers)


async def test_a_taken_port_is_an_error_at_the_start() -> None:
    async with served() as port:
        with pytest.raises(OSError, match="in use"):
            async with open_http_port("127.0.0.1", port, {}):
                raise AssertionError("not reached")


async def test_a_worker_names_the_variable_of_a_taken_port() -> None:
    async with served() as port:
        settings = Settings(supabase_url="http://127.0.0.1:1", supabase_key=SecretStr("key"), port=port)
        with pytest.raises(ConfigurationError, match=f"ANALYSIS_WORKER_PORT: cannot listen on 127.0.0.1:{port}"):
            async with open_monitoring(settings):
                raise AssertionError("not reached")
