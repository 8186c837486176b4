from io import BytesIO

import pytest
from PIL import Image

from analysis_worker import PermanentError
from maxnutrition.media.images import MAX_SIDE
from maxnutrition.media.pages import to_pages
from tests.unit.media.pdfs import A4, pdf

pytestmark = pytest.mark.anyio


def jpeg(size: tuple[int, int] = (300, 200)) -> bytes:
    target = BytesIO()
    Image.new("RGB", size, "red").save(target, format="JPEG")
    return target.getvalue()


def size_of(page: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(page)).size


async def test_a_photo_is_one_page() -> None:
    [page] = await to_pages(jpeg())
    assert size_of(page) == (300, 200)


async def test_a_document_is_as_many_pages_as_it_has() -> None:
    pytest.importorskip("pypdfium2", reason="needs the extra analysis-worker[maxnutrition]")
    pages = await to_pages(pdf([A4, A4]))
    assert [size_of(page) for page in pages] == [(1131, MAX_SIDE)] * 2


async def test_a_document_may_have_a_few_bytes_before_its_signature() -> None:
    pytest.importorskip("pypdfium2", reason="needs the extra analysis-worker[maxnutrition]")
    assert len(await to_pages(b"\r\n\r\n" + pdf())) == 1


async def test_what_is_an_image_and_a_document_is_only_the_image() -> None:
    [page] = await to_pages(jpeg() + pdf([A4, A4]))
    assert size_of(page) == (300, 200)
    assert b"%PDF" not in page


@pytest.mark.parametrize(
    "data", [b"", b"laudo.pdf", b"PK\x03\x04 an archive", b"<html>", b"\x7fELF", bytes(2000) + b"%PDF-1.7"]
)
async def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PermanentError) as caught:
        await to_pages(data)
    assert caught.value.code == "unsupported_file"
    assert "PDF" in caught.value.message
