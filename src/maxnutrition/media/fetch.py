"""Files from any URL, without becoming a stranger's window into our own network. Nothing opens a Fetcher by default.

What protects: https only, on its own port, to names and not to addresses; a name is resolved once for a connection,
every address of it has to be public, and the connection goes to the address that was checked, while TLS still asks for
the name. Redirects start all over. httpcore is used without httpx, which would read proxies from the environment and
unpack compressed bodies. Errors never carry the URL: it may hold a token.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import anyio
import httpcore
import httpx

from analysis_worker import PermanentError, RetryableError
from maxnutrition.media.addresses import is_public

Resolve: TypeAlias = Callable[[str], Awaitable[list[str]]]
"""The addresses of a host name; raises OSError where there are none."""

_PORT = 443
_CONNECT = 5.0
"""Seconds for one address; a name may have some that do not answer."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS: Mapping[str | bytes, str] = {
    "Accept": "image/jpeg,image/png,image/webp,application/pdf",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    max_bytes: int = 20 * 1024 * 1024
    max_redirects: int = 3
    timeout_seconds: float = 30.0
    """For everything together: names, connections, redirects and the body."""


class _RefusedAddressError(Exception):
    """The name leads, or may lead, into a network of our own."""


async def resolve(host: str) -> list[str]:
    """By the system's resolver."""
    found = await anyio.getaddrinfo(host, _PORT, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


class PublicOnly(httpcore.AsyncNetworkBackend):
    """Connects to public addresses; `dial` opens the connections to those that passed."""

    def __init__(self, resolve: Resolve, dial: httpcore.AsyncNetworkBackend) -> None:
        self._resolve = resolve
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the whole fetch has one
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host)
        if not addresses or not all(is_public(address) for address in addresses):
            raise _RefusedAddressError
        for address in addresses[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._dial.connect_tcp(address, port, _CONNECT, local_address, socket_options)
        return await self._dial.connect_tcp(addresses[-1], port, _CONNECT, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._dial.sleep(seconds)


class Fetcher:
    def __init__(self, pool: httpcore.AsyncConnectionPool, limits: FetchLimits) -> None:
        self._pool = pool
        self._limits = limits

    async def fetch(self, url: str) -> bytes:
        """Raises `PermanentError` (url_refused, file_not_found, file_too_large), `RetryableError` (url_unavailable)."""
        try:
            with anyio.fail_after(self._limits.timeout_seconds):
                return await self._follow(url)
        except _RefusedAddressError:
            raise _refused() from None
        except (OSError, TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
            raise RetryableError("url_unavailable", "O endereço do arquivo não respondeu.") from None

    async def _follow(self, url: str) -> bytes:
        target = _checked(url)
        for _ in range(self._limits.max_redirects + 1):
            asked: dict[str | bytes, str | bytes] = {**_HEADERS, "Host": target.netloc}
            async with self._pool.stream("GET", str(target), headers=asked) as response:
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status not in _REDIRECTS:
                    _refuse_errors(response.status, headers)
                    return await _read_capped(response, headers, self._limits.max_bytes)
            target = _joined(target, headers.get("location", ""))
        raise _refused()


@asynccontextmanager
async def open_fetcher(
    limits: FetchLimits | None = None,
    resolve: Resolve = resolve,
    dial: httpcore.AsyncNetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Fetcher]:
    """Connections are not kept: each fetch resolves and checks anew."""
    backend = PublicOnly(resolve, dial or httpcore.AnyIOBackend())
    async with httpcore.AsyncConnectionPool(
        ssl_context=tls or ssl.create_default_context(), network_backend=backend, max_keepalive_connections=0
    ) as pool:
        yield Fetcher(pool, limits or FetchLimits())


def _checked(url: str) -> httpx.URL:
    """An https URL of a name, without user, password or port. Numbers for names are addresses in disguise."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise _refused() from None
    last_label = parsed.host.rstrip(".").rpartition(".")[2]
    is_name = "." in parsed.host.strip(".") and not last_label.startswith(tuple("0123456789")) and ":" not in last_label
    if parsed.scheme != "https" or parsed.userinfo or parsed.port not in {None, _PORT} or not is_name:
        raise _refused()
    return parsed.copy_with(fragment=None)


def _joined(base: httpx.URL, location: str) -> httpx.URL:
    if not location:
        raise _refused()
    try:
        return _checked(str(base.join(location)))
    except httpx.InvalidURL:
        raise _refused() from None


def _refuse_errors(status: int, headers: Mapping[str, str]) -> None:
    if status >= 500 or status in {408, 429}:
        raise RetryableError("url_unavailable", "O endereço do arquivo não respondeu.")
    if status != 200:
        raise PermanentError("file_not_found", "O arquivo não foi encontrado no endereço enviado.")
    if headers.get("content-encoding", "identity") != "identity":
        raise _refused()


async def _read_capped(response: httpcore.Response, headers: Mapping[str, str], max_bytes: int) -> bytes:
    announced = headers.get("content-length", "")
    received = bytearray()
    if not announced.isdigit() or int(announced) <= max_bytes:
        async for chunk in response.aiter_stream():
            received += chunk
            if len(received) > max_bytes:
                break
        else:
            return bytes(received)
    raise PermanentError("file_too_large", f"O arquivo tem mais de {max_bytes // 2**20} MB. Envie um menor.")


def _refused() -> PermanentError:
    return PermanentError("url_refused", "Não é possível buscar arquivos nesse endereço. Envie o arquivo.")
