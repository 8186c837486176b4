"""The process that draws the pages of one PDF: `python -m maxnutrition.media.pdf_process`, spoken to by `pdf.py`.

In, on standard input: a PDF, to its end. Out: frames, each four bytes of length, big-endian, then the body; the first
is JSON, `{"pages": n}` or `{"refused": reason}`, the others are the pages as JPEG. It reads what strangers send with a
library in C, so it gives up what it does not need before it reads a byte.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from maxnutrition.media.images import MAX_SIDE, encode_page

if TYPE_CHECKING:
    from PIL import Image

Refusal = Literal["encrypted", "unreadable", "empty", "too_many_pages", "page_size"]

MAX_MEMORY = 1024 * 1024 * 1024
"""Bytes of address space. Python, Pillow and pdfium take about 100 MB of it, a page of 1600 pixels 20 MB."""
_MAX_POINTS = 14_400.0
"""200 inches, the largest side that the PDF format foresaw."""
_MIN_POINTS = 18.0
_PASSWORD_ERROR = 4


class RefusedError(Exception):
    """The document is not drawn; `args[0]` is the Refusal."""


def give_up_resources(max_memory: int, cpu_seconds: int) -> None:
    """No file can be written, and no core dump keeps what was in memory."""
    resource.setrlimit(resource.RLIMIT_AS, (max_memory, max_memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def draw_pages(data: bytes, max_pages: int) -> Iterator[bytes]:
    """The pages as JPEG. Raises RefusedError before the first one, or where a page has no size to draw."""
    import pypdfium2  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional extra, and only this process needs it

    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        raise RefusedError(_reason(error.err_code)) from error
    if count > max_pages:
        raise RefusedError("too_many_pages")
    for number in range(count):
        try:
            yield encode_page(_draw(document[number]))
        except pypdfium2.PdfiumError as error:
            raise RefusedError("unreadable") from error


def _reason(code: int | None) -> Refusal:
    if code == _PASSWORD_ERROR:
        return "encrypted"
    return "unreadable" if code else "empty"


def _draw(page: Any) -> Image.Image:
    """To `MAX_SIDE` on the longer side, whatever the page claims to measure."""
    sides = page.get_size()
    if not all(_MIN_POINTS <= side <= _MAX_POINTS for side in sides):
        raise RefusedError("page_size")
    image: Image.Image = page.render(scale=MAX_SIDE / max(sides)).to_pil()
    return image


def _answer(target: BinaryIO, body: bytes) -> None:
    target.write(len(body).to_bytes(4, "big") + body)
    target.flush()


def main(max_pages: int, cpu_seconds: int) -> None:
    """Whatever a library prints goes to standard error, not between the frames."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    give_up_resources(MAX_MEMORY, cpu_seconds)
    try:
        pages = list(draw_pages(sys.stdin.buffer.read(), max_pages))
    except RefusedError as refused:
        _answer(answers, json.dumps({"refused": refused.args[0]}).encode())
        return
    _answer(answers, json.dumps({"pages": len(pages)}).encode())
    for page in pages:
        _answer(answers, page)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
