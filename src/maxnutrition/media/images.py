"""Untrusted image bytes in, a small clean JPEG out: nothing that was hidden in the file survives."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from analysis_worker import PermanentError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 1600
"""Pixels. OCR reads the samples without an error down to half of this, so there is room for small print."""
_QUALITY = 92

_SIGNATURES = {"JPEG": (0, b"\xff\xd8\xff"), "PNG": (0, b"\x89PNG\r\n\x1a\n"), "WEBP": (8, b"WEBP")}


def sanitise(data: bytes) -> bytes:
    """Upright, at most `MAX_SIDE` pixels a side, as JPEG without metadata. CPU work: call it in a thread.

    Raises `PermanentError`: file_too_large, unsupported_file, image_too_large, image_unreadable.
    """
    if len(data) > MAX_BYTES:
        raise PermanentError("file_too_large", "A imagem tem mais de 10 MB. Envie uma menor.")
    kind = _kind_of(data)
    try:
        with Image.open(BytesIO(data), formats=[kind]) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise PermanentError("image_too_large", "A imagem tem pixels demais. Envie uma foto comum.")
            return _rewrite(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PermanentError("image_too_large", "A imagem tem pixels demais. Envie uma foto comum.") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise PermanentError("image_unreadable", "Não consegui abrir a imagem. Envie a foto de novo.") from error


def encode_page(image: Image.Image) -> bytes:
    """The pixels of `image` alone, on white paper and within `MAX_SIDE`, as JPEG."""
    page = _on_white(image)
    page.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    clean = BytesIO()
    # A copy of the pixels alone: saving `page` would carry its comment along.
    Image.frombytes("RGB", page.size, page.tobytes()).save(clean, format="JPEG", quality=_QUALITY)
    return clean.getvalue()


def is_image(data: bytes) -> bool:
    """Whether `data` begins like a JPEG, PNG or WebP."""
    return any(_has_signature(data, kind) for kind in _SIGNATURES)


def mime_type_of(data: bytes) -> str:
    """`image/jpeg`, `image/png` or `image/webp`, by the magic bytes. Raises `PermanentError` unsupported_file."""
    return f"image/{_kind_of(data).lower()}"


def _kind_of(data: bytes) -> str:
    for kind in _SIGNATURES:
        if _has_signature(data, kind):
            return kind
    raise PermanentError("unsupported_file", "Envie uma imagem em JPEG, PNG ou WebP.")


def _has_signature(data: bytes, kind: str) -> bool:
    offset, signature = _SIGNATURES[kind]
    return data[offset : offset + len(signature)] == signature and (kind != "WEBP" or data[:4] == b"RIFF")


def _rewrite(image: Image.Image) -> bytes:
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a large JPEG is decoded at reduced size right away
    return encode_page(ImageOps.exif_transpose(image))


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent screenshots would otherwise turn black, text and all, and scans with 16 bits a pixel white."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    page = Image.new("RGB", layer.size, "white")
    page.paste(layer, mask=layer.getchannel("A"))
    return page
