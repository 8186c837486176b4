"""A web server on loopback with a certificate for names, and the resolver and dialler that lead there.

Nothing here leaves the machine: names resolve by a table, and what is dialled as a public address is connected to
loopback instead.
"""

import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from maxnutrition.media.fetch import Fetcher, FetchLimits, open_fetcher

PUBLIC = "93.184.216.34"


@dataclass
class Names:
    """`table[name]` holds the answers to come, one list of addresses each; the last one stays."""

    table: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def resolve(self, host: str) -> list[str]:
        self.asked.append(host)
        answers = self.table.get(host, [])
        if not answers:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class ToLoopback(httpcore.AsyncNetworkBackend):
    def __init__(self, port: int) -> None:
        self.dialled: list[tuple[str, int]] = []
        self.unreachable: set[str] = set()
        self._port = port
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        if host in self.unreachable:
            raise httpcore.ConnectError
        return await self._real.connect_tcp("127.0.0.1", self._port, timeout, local_address, socket_options)


@dataclass
class Site:
    fetcher: Fetcher
    names: Names
    dialler: ToLoopback
    requests: list[web.Request]


@asynccontextmanager
async def site(
    app: web.Application, directory: Path, names: dict[str, list[list[str]]], limits: FetchLimits | None = None
) -> AsyncIterator[Site]:
    requests: list[web.Request] = []

    async def note(request: web.Request, _: web.StreamResponse) -> None:
        requests.append(request)

    app.on_response_prepare.append(note)
    server_tls, client_tls = certificates(directory, ["files.example", "other.example"])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls).start()
        dialler, table = ToLoopback(runner.addresses[0][1]), Names(names)
        async with open_fetcher(limits, table.resolve, dialler, client_tls) as fetcher:
            yield Site(fetcher, table, dialler, requests)
    finally:
        await runner.cleanup()


def certificates(directory: Path, hosts: Sequence[str]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for `hosts`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = directory / "chain.pem"
    chain.write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return server, ssl.create_default_context(cadata=pem.decode())
