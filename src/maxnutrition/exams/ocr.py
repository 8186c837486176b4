"""Text on images, read by a process of its own that dies with the scope that waits for it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import TypeAdapter

from analysis_worker import PermanentError, RetryableError
from maxnutrition.exams.lines import Box, Point

_COMMAND = (sys.executable, "-m", "maxnutrition.exams.ocr_process")
_MAX_ANSWER = 4 * 1024 * 1024
_ANSWER = TypeAdapter(list[tuple[str, float, tuple[Point, Point, Point, Point]]])
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead)


class Ocr:
    """Reads one image at a time: one is enough to keep every core busy."""

    def __init__(self, command: Sequence[str] = _COMMAND) -> None:
        self._command = command
        self._turn = anyio.CapacityLimiter(1)
        self._process: Process | None = None

    async def read(self, image: bytes) -> list[Box]:
        """Cancelling kills the process, so a page that never ends takes no core from the next job."""
        if not all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime")):
            raise PermanentError(
                "provider_not_configured",
                "A leitura de exames não está disponível neste servidor: falta instalar analysis-worker[ocr].",
            )
        async with self._turn:
            process = await self._started()
            try:
                answer = await _ask(process, image)
            except _GONE as error:
                await self.aclose()
                raise RetryableError("ocr_stopped", "A leitura da imagem foi interrompida.") from error
            except BaseException:
                await self.aclose()
                raise
        return [Box(text, score, corners) for text, score, corners in _ANSWER.validate_json(answer)]

    async def aclose(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()

    async def _started(self) -> Process:
        """The process of the job before, or a new one.

        Its environment is empty: it parses what strangers send, and the worker's holds the service key. A session of
        its own keeps it out of the terminal's Ctrl-C: it is for the worker to end it, in order.
        """
        process = self._process
        if process is None or process.returncode is not None:
            await self.aclose()
            process = self._process = await anyio.open_process(
                self._command, stderr=None, env={}, start_new_session=True
            )
        return process


@asynccontextmanager
async def open_ocr() -> AsyncIterator[Ocr]:
    """The process starts with the first image, is kept between jobs, and ends with this scope."""
    ocr = Ocr()
    try:
        yield ocr
    finally:
        await ocr.aclose()


async def _ask(process: Process, image: bytes) -> bytes:
    await _stdin_of(process).send(len(image).to_bytes(4, "big") + image)
    answers = _stdout_of(process)
    size = int.from_bytes(await answers.receive_exactly(4), "big")
    if size > _MAX_ANSWER:
        raise anyio.BrokenResourceError
    return await answers.receive_exactly(size)


def _stdin_of(process: Process) -> ByteSendStream:
    assert process.stdin is not None
    return process.stdin


def _stdout_of(process: Process) -> BufferedByteReceiveStream:
    """Nothing is lost between two answers: the process sends one only when asked."""
    assert process.stdout is not None
    return BufferedByteReceiveStream(process.stdout)
