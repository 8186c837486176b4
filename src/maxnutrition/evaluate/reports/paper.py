"""A sheet of paper to print on: text in the fonts that pdfium carries for Helvetica, Times and Courier, and lines.

A sheet is a PDF of one page, as laboratories send them; its picture is what a scanner or a camera would start from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PIL import Image

Font = Literal["Helvetica", "Helvetica-Bold", "Times-Roman", "Times-Bold", "Courier", "Courier-Bold"]

_FONTS: Sequence[Font] = ("Helvetica", "Helvetica-Bold", "Times-Roman", "Times-Bold", "Courier", "Courier-Bold")
_WIDTHS = {"Helvetica": (0.556, 0.278), "Times": (0.5, 0.25), "Courier": (0.6, 0.6)}
"""Of a digit and of a comma, in ems: what is aligned to the right here is numbers."""
_SCALE = 2.0
"""Pixels a point: 144 dpi, which gives A4 the 1,684 pixels that a photo is reduced to anyway."""

A4 = (595, 842)
A4_LANDSCAPE = (842, 595)


class Sheet:
    """Coordinates are in points from the top left, as one writes."""

    def __init__(self, size: tuple[int, int] = A4) -> None:
        self.width, self.height = size
        self._marks: list[str] = []

    def text(  # noqa: PLR0913, PLR0917 - what a printer needs to know of a piece of text
        self, x: float, y: float, text: str, font: Font = "Helvetica", size: float = 9, grey: float = 0.1
    ) -> None:
        written = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        position = f"{x:.1f} {self.height - y:.1f} Td"
        self._marks.append(f"{grey} g BT /F{_FONTS.index(font)} {size} Tf {position} ({written}) Tj ET")

    def number(self, right: float, y: float, text: str, font: Font = "Helvetica", size: float = 9) -> None:
        """Ends at `right`."""
        digit, comma = _WIDTHS[font.split("-")[0]]
        width = sum(comma if char in ",. " else digit for char in text) * size
        self.text(right - width, y, text, font, size)

    def line(self, left: float, y: float, right: float, grey: float = 0.6) -> None:
        self._marks.append(f"{grey} G 0.6 w {left} {self.height - y} m {right} {self.height - y} l S")

    def column_line(self, x: float, top: float, bottom: float, grey: float = 0.6) -> None:
        self._marks.append(f"{grey} G 0.6 w {x} {self.height - top} m {x} {self.height - bottom} l S")

    def band(self, left: float, top: float, right: float, bottom: float, grey: float = 0.9) -> None:
        self._marks.append(f"{grey} g {left} {self.height - bottom} {right - left} {bottom - top} re f")

    def pdf(self) -> bytes:
        return pdf_of([self])

    def picture(self) -> Image.Image:
        import pypdfium2  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional extra

        with pypdfium2.PdfDocument(self.pdf()) as document:
            drawn: Image.Image = document[0].render(scale=_SCALE).to_pil().convert("RGB")
        return drawn

    def content(self) -> bytes:
        return "\n".join(self._marks).encode("cp1252")


def pdf_of(sheets: Sequence[Sheet]) -> bytes:
    """One document with these pages."""
    first = 3 + len(_FONTS)
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(sheets)))
    fonts = " ".join(f"/F{number} {3 + number} 0 R" for number in range(len(_FONTS)))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    objects.append(f"<< /Type /Pages /Count {len(sheets)} /Kids [{kids}] >>".encode())
    for font in _FONTS:
        kind = f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding /WinAnsiEncoding >>"
        objects.append(kind.encode())
    for sheet in sheets:
        box = f"/MediaBox [0 0 {sheet.width} {sheet.height}] /Resources << /Font << {fonts} >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {box} /Contents {len(objects) + 2} 0 R >>".encode())
        content = sheet.content()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _assembled(objects)


def _assembled(objects: Sequence[bytes]) -> bytes:
    body, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, rows)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + table + trailer
