"""Any stored file becomes clean page images: what it is, its first bytes say, never its name."""

from __future__ import annotations

import anyio.to_thread

from analysis_worker import PermanentError
from maxnutrition.media.images import is_image, sanitise
from maxnutrition.media.pdf import MAX_BYTES as MAX_PDF_BYTES
from maxnutrition.media.pdf import MAX_PAGES, draw_pdf, is_pdf

MAX_FILE_BYTES = MAX_PDF_BYTES
"""The largest file of any kind, for whoever fetches one before its kind is known."""


async def to_pages(data: bytes, max_pages: int = MAX_PAGES) -> list[bytes]:
    """A photo is one page, a PDF has several: JPEGs as `images.sanitise` and `pdf.draw_pdf` make them.

    A file that is both counts as the image. Raises what those raise, and `PermanentError` unsupported_file.
    """
    if is_image(data):
        return [await anyio.to_thread.run_sync(sanitise, data)]
    if is_pdf(data):
        return await draw_pdf(data, max_pages)
    raise PermanentError("unsupported_file", "Envie fotos em JPEG, PNG ou WebP, ou um PDF.")
