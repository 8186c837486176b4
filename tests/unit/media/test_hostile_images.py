"""Images made to confuse, to carry something else, or to fill the memory."""

import struct
import tracemalloc
import zlib
from contextlib import suppress
from io import BytesIO
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from analysis_worker import PermanentError
from maxnutrition.media.images import MAX_SIDE, sanitise

ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = BytesIO()
    image.save(target, format=kind, **options)
    return target.getvalue()


def clean(data: bytes) -> Image.Image:
    return Image.open(BytesIO(sanitise(data)))


def refusal(data: bytes) -> str:
    with pytest.raises(PermanentError) as caught:
        sanitise(data)
    return caught.value.code


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 0) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def webp_that_claims(width: int, height: int) -> bytes:
    body = (
        b"VP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + struct.pack("<I", width - 1)[:3]
        + struct.pack("<I", height - 1)[:3]
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


PHOTOS = [encoded(Image.effect_noise((40, 30), 60).convert("RGB"), kind) for kind in ("JPEG", "PNG", "WEBP")]


def test_an_ink_photo_becomes_rgb() -> None:
    image = clean(encoded(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG"))
    red, green, blue = (int(channel) for channel in image.getpixel((20, 15)))  # type: ignore[union-attr]
    assert image.mode == "RGB"
    assert red > 180
    assert max(green, blue) < 90


def test_a_scan_with_sixteen_bits_keeps_its_grey() -> None:
    """A scanner's 16 bits are brightness, not white paper with everything above 255 cut off."""
    image = clean(encoded(Image.new("I;16", (40, 30), 32768), "PNG")).convert("L")
    assert image.getpixel((20, 15)) == pytest.approx(128, abs=4)


def test_a_palette_with_a_transparent_colour_lies_on_white_paper() -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 0] * 256)
    assert clean(encoded(image, "PNG", transparency=0)).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_kept(kind: str) -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("white", "black", "red")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    image = clean(data)
    assert image.format == "JPEG"
    assert min(image.convert("L").tobytes()) > 240


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_way_of_holding_a_camera_ends_upright(orientation: int) -> None:
    photo = Image.new("RGB", (80, 40), "white")
    photo.paste("black", (0, 0, 20, 10))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = photo.transpose(undo[orientation]) if orientation in undo else photo
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = clean(encoded(stored, "JPEG", exif=exif, quality=95)).convert("L")
    assert image.size == (80, 40)
    assert max(image.crop((2, 2, 16, 6)).tobytes()) < 80
    assert min(image.crop((40, 20, 80, 40)).tobytes()) > 200


@pytest.mark.parametrize(
    "tail",
    [b"PK\x03\x04" + bytes(30) + b"PK\x05\x06" + bytes(18), b"<html><script>alert(1)</script>", b"%PDF-1.7 %%EOF"],
)
@pytest.mark.parametrize("photo", PHOTOS)
def test_what_hides_behind_the_pixels_is_gone(photo: bytes, tail: bytes) -> None:
    cleaned = sanitise(photo + tail)
    assert tail[:5] not in cleaned
    assert Image.open(BytesIO(cleaned)).size == (40, 30)


def test_script_in_a_comment_is_gone() -> None:
    dirty = encoded(Image.new("RGB", (20, 20)), "JPEG", comment=b"<script>alert(1)</script>")
    assert b"script" not in sanitise(dirty)


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_does() -> None:
    tracemalloc.start()
    assert refusal(png(40_000, 40_000, bytes(100_000))) == "image_too_large"
    assert refusal(webp_that_claims(16_000, 16_000)) in {"image_too_large", "image_unreadable"}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def test_data_beyond_what_the_header_claims_is_not_unpacked() -> None:
    """200 MB of zeros behind a header that says 10 x 10."""
    bomb = png(10, 10, bytes(200_000_000))
    started = process_time()
    assert clean(bomb).size == (10, 10)
    assert process_time() - started < 2


def test_a_text_chunk_that_unpacks_to_megabytes_is_refused() -> None:
    text = b"zTXtnote\0\0" + zlib.compress(bytes(80_000_000), 9)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    whole = encoded(Image.new("RGB", (10, 10)), "PNG")
    assert refusal(whole[:33] + chunk + whole[33:]) == "image_unreadable"


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_file_is_unreadable(photo: bytes, share: float) -> None:
    assert refusal(photo[: int(len(photo) * share)]) in {"image_unreadable", "unsupported_file"}


@settings(max_examples=150, deadline=2000)
@given(st.sampled_from(PHOTOS), st.integers(12, 3000), st.binary(min_size=1, max_size=20))
def test_damaged_images_are_cleaned_or_refused(photo: bytes, position: int, damage: bytes) -> None:
    place = position % len(photo)
    with suppress(PermanentError):
        image = clean(photo[:place] + damage + photo[place + len(damage) :])
        assert max(image.size) <= MAX_SIDE
