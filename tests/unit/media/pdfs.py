"""PDFs written by hand, so that they can be as wrong as a test needs."""

from collections.abc import Sequence

A4 = "0 0 595 842"


def pdf(
    boxes: Sequence[str] = (A4,), content: str = "BT /F1 30 Tf 20 60 Td (Hemoglobina 13,2) Tj ET", extra: str = ""
) -> bytes:
    """One page for each MediaBox, all with the same content; `extra` goes into the trailer."""
    kids = " ".join(f"{4 + number} 0 R" for number in range(len(boxes)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(boxes)} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {4 + len(boxes)} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
            for box in boxes
        ),
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    ]
    return assemble(objects, extra)


def assemble(objects: Sequence[str], extra: str = "") -> bytes:
    body, offsets = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    rows = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}"
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {extra} >>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + (table + trailer).encode("latin-1")


def encrypted() -> bytes:
    """Declares a user password that nobody has."""
    secret = "00" * 32
    rule = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{secret}> /U <{secret}> /P -4 >> /ID [<00> <00>]"
    return pdf(extra=rule)


def without_pages() -> bytes:
    return assemble(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 0 /Kids [] >>"])
