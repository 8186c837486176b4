"""The pages of a PDF as clean images, drawn in a process that lives for one document and not longer than its caller."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from analysis_worker import PermanentError, RetryableError

MAX_BYTES = 20 * 1024 * 1024
MAX_PAGES = 20
_TIMEOUT = 60.0
"""Seconds for a whole document. Twenty scanned pages take about ten."""
_MAX_PAGE_BYTES = 8 * 1024 * 1024
_COMMAND = (sys.executable, "-m", "maxnutrition.media.pdf_process")
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead)
_STOPPED_FROM_OUTSIDE = frozenset({-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT})

_REFUSALS = {
    "encrypted": ("pdf_encrypted", "O PDF tem senha. Salve uma cópia sem senha e envie de novo."),
    "unreadable": ("pdf_unreadable", "Não consegui abrir o PDF. Baixe o laudo de novo ou envie fotos das páginas."),
    "empty": ("pdf_empty", "O PDF não tem nenhuma página."),
    "too_many_pages": ("too_many_pages", "São mais de 20 páginas ao todo. Envie só as páginas com os resultados."),
    "page_size": ("pdf_page_size", "O PDF tem uma página de tamanho fora do comum. Envie fotos das páginas."),
}


def is_pdf(data: bytes) -> bool:
    """By the magic bytes, which some generators put behind a few others."""
    return b"%PDF-" in data[:1024]


async def draw_pdf(
    data: bytes, max_pages: int = MAX_PAGES, timeout_seconds: float = _TIMEOUT, command: Sequence[str] = _COMMAND
) -> list[bytes]:
    """Every page as JPEG, within the bounds of `images`. Cancelling kills the process.

    Raises `PermanentError`: file_too_large, pdf_encrypted, pdf_unreadable, pdf_empty, too_many_pages, pdf_page_size,
    pdf_too_complex (needs too much time or memory), provider_not_configured; `RetryableError`: pdf_stopped.
    """
    if len(data) > MAX_BYTES:
        raise PermanentError("file_too_large", "O PDF tem mais de 20 MB. Envie um menor.")
    if importlib.util.find_spec("pypdfium2") is None:
        raise PermanentError(
            "provider_not_configured",
            "A leitura de PDF não está disponível neste servidor: falta instalar analysis-worker[maxnutrition].",
        )
    arguments = [*command, str(max_pages), str(int(timeout_seconds) + 1)]
    # The environment is empty for what strangers send; a session of its own keeps the terminal's Ctrl-C away.
    process = await anyio.open_process(arguments, stderr=None, env={}, start_new_session=True)
    try:
        with anyio.fail_after(timeout_seconds):
            return await _converse(process, data)
    except TimeoutError as error:
        raise _too_complex() from error
    finally:
        await _end(process)


async def _converse(process: Process, data: bytes) -> list[bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    answers = BufferedByteReceiveStream(process.stdout)
    with suppress(*_GONE):  # who has read enough to answer need not read on
        await process.stdin.send(data)
        await process.stdin.aclose()
    try:
        head = json.loads(await _next_frame(answers))
        if "refused" in head:
            raise PermanentError(*_REFUSALS[head["refused"]])
        return [await _next_frame(answers) for _ in range(head["pages"])]
    except _GONE as error:
        raise _verdict(await process.wait()) from error


async def _next_frame(answers: BufferedByteReceiveStream) -> bytes:
    size = int.from_bytes(await answers.receive_exactly(4), "big")
    if size > _MAX_PAGE_BYTES:
        raise _too_complex()
    return await answers.receive_exactly(size)


def _verdict(returncode: int) -> PermanentError | RetryableError:
    """A process that ran into a limit or crashed would do so again; one that was stopped from outside would not."""
    if returncode in _STOPPED_FROM_OUTSIDE:
        return RetryableError("pdf_stopped", "A leitura do PDF foi interrompida.")
    return _too_complex()


def _too_complex() -> PermanentError:
    return PermanentError("pdf_too_complex", "O PDF é complexo demais para ler. Envie fotos das páginas.")


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    with anyio.CancelScope(shield=True):
        await process.aclose()
