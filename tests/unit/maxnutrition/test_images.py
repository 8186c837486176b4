import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from analysis_worker import PermanentError
from maxnutrition.media.images import MAX_BYTES, sanitise

GPS = 0x8825
ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    target = BytesIO()
    image.save(target, format=kind, **options)
    return target.getvalue()


def reopened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def refusal(data: bytes) -> str:
    with pytest.raises(PermanentError) as caught:
        sanitise(data)
    return caught.value.code


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_common_images_come_out_as_jpeg(kind: str) -> None:
    clean = reopened(sanitise(encoded(Image.new("RGB", (300, 200), "red"), kind)))
    assert (clean.format, clean.mode, clean.size) == ("JPEG", "RGB", (300, 200))


def test_a_large_image_shrinks_to_the_longest_side() -> None:
    assert reopened(sanitise(encoded(Image.new("RGB", (4000, 3000))))).size == (1600, 1200)


def test_location_comments_and_profiles_are_gone() -> None:
    exif = Image.Exif()
    exif.get_ifd(GPS)[1] = "S"
    exif.get_ifd(GPS)[2] = (23.0, 33.0, 1.0)
    exif[0x010F] = "CameraMaker"
    dirty = encoded(Image.new("RGB", (64, 64)), exif=exif, comment=b"segredo", icc_profile=b"profile")
    assert reopened(dirty).getexif().get_ifd(GPS)
    clean = sanitise(dirty)
    assert not reopened(clean).getexif()
    assert not {"comment", "icc_profile", "exif"} & set(reopened(clean).info)
    assert b"CameraMaker" not in clean
    assert b"segredo" not in clean


def test_a_photo_taken_sideways_is_put_upright() -> None:
    photo = Image.new("RGB", (60, 40), "white")
    photo.paste("black", (0, 0, 60, 10))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    clean = reopened(sanitise(encoded(photo, exif=exif, quality=95)))
    assert clean.size == (40, 60)
    right, left = clean.convert("L").crop((32, 0, 40, 60)), clean.convert("L").crop((0, 0, 20, 60))
    assert max(right.tobytes()) < 100
    assert min(left.tobytes()) > 200


def test_transparent_paper_turns_white() -> None:
    clean = reopened(sanitise(encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG")))
    assert clean.getpixel((25, 25)) == (255, 255, 255)


def test_what_hangs_behind_the_image_is_gone() -> None:
    polyglot = encoded(Image.new("RGB", (50, 50))) + b"PK\x03\x04<script>alert(1)</script>"
    clean = sanitise(polyglot)
    assert b"PK\x03\x04" not in clean
    assert b"<script>" not in clean


def test_a_decompression_bomb_is_refused_unopened() -> None:
    assert refusal(png_that_claims(60_000, 60_000)) == "image_too_large"
    assert refusal(png_that_claims(9_000, 9_000)) == "image_too_large"


def test_a_truncated_image_is_unreadable() -> None:
    whole = encoded(Image.effect_noise((400, 400), 80).convert("RGB"))
    assert refusal(whole[: len(whole) // 2]) == "image_unreadable"
    assert refusal(whole[:20]) == "image_unreadable"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"apenas texto",
        b"%PDF-1.7",
        b"GIF89a" + bytes(50),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"RIFF1234WAVE",
    ],
)
def test_other_files_are_unsupported(data: bytes) -> None:
    assert refusal(data) == "unsupported_file"


def test_another_format_behind_a_forged_signature_is_unreadable() -> None:
    tiff = encoded(Image.new("RGB", (20, 20)), "TIFF")
    assert refusal(b"\xff\xd8\xff" + tiff) == "image_unreadable"


def test_more_than_ten_megabytes_are_refused() -> None:
    assert refusal(b"\xff\xd8\xff" + bytes(MAX_BYTES)) == "file_too_large"


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP"]), st.binary(max_size=300))
def test_garbage_never_raises_anything_else(signature: bytes, garbage: bytes) -> None:
    assert refusal(signature + garbage) in {"image_unreadable", "image_too_large"}
