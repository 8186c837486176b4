"""Downloads from Supabase Storage with the service key, with a cap on bytes (storage3 has none)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx

from analysis_worker import PermanentError, RetryableError
from maxnutrition.contracts.common import StoredFile
from maxnutrition.media.images import MAX_BYTES


class Storage:
    def __init__(self, client: httpx.AsyncClient, current_key: Callable[[], str]) -> None:
        self._client = client
        self._current_key = current_key

    async def download(self, file: StoredFile, max_bytes: int = MAX_BYTES) -> bytes:
        """Raises `PermanentError` (file_not_found, file_too_large, storage_refused), `RetryableError`
        (storage_unavailable)."""
        path = f"/storage/v1/object/{quote(file.bucket, safe='')}/{quote(file.path)}"
        key = self._current_key()
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        try:
            async with self._client.stream("GET", path, headers=headers) as response:
                await _refuse_errors(response)
                return await _read_capped(response, max_bytes)
        except httpx.TransportError as error:
            raise _unavailable() from error


@asynccontextmanager
async def open_storage(url: str, current_key: Callable[[], str]) -> AsyncIterator[Storage]:
    """Redirects are not followed: they would carry the service key elsewhere."""
    timeout = httpx.Timeout(30.0, connect=5.0)
    async with httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False) as client:
        yield Storage(client, current_key)


async def _refuse_errors(response: httpx.Response) -> None:
    if response.is_success:
        return
    if response.status_code >= 500 or response.status_code in {408, 429}:
        raise _unavailable()
    if response.status_code == 404 or await _says_not_found(response):
        raise PermanentError("file_not_found", "O arquivo enviado não foi encontrado. Envie de novo.")
    raise PermanentError("storage_refused", "Não foi possível abrir o arquivo enviado.")


async def _says_not_found(response: httpx.Response) -> bool:
    """Storage answers a missing object with HTTP 400 and the real status in the body."""
    body = await _read_capped(response, 4096)
    return response.status_code == 400 and b'"404"' in body.replace(b" ", b"")


async def _read_capped(response: httpx.Response, max_bytes: int) -> bytes:
    announced = response.headers.get("content-length", "")
    received = bytearray()
    if not announced.isdigit() or int(announced) <= max_bytes:
        async for chunk in response.aiter_bytes(65536):
            received += chunk
            if len(received) > max_bytes:
                break
        else:
            return bytes(received)
    raise PermanentError("file_too_large", f"O arquivo tem mais de {max_bytes // 2**20} MB. Envie um menor.")


def _unavailable() -> RetryableError:
    return RetryableError("storage_unavailable", "O armazenamento de arquivos não respondeu.")
