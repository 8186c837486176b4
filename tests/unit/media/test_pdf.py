import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from time import perf_counter

import anyio
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from analysis_worker import PermanentError, RetryableError
from maxnutrition.media.images import MAX_SIDE
from maxnutrition.media.pdf import MAX_BYTES, draw_pdf
from maxnutrition.media.pdf_process import RefusedError, draw_pages
from tests.unit.media.pdfs import A4, assemble, encrypted, pdf, without_pages

pytest.importorskip("pypdfium2", reason="needs the extra analysis-worker[maxnutrition]")
pytestmark = pytest.mark.anyio

STUBBORN = str(Path(__file__).with_name("stubborn.py"))


def opened(page: bytes) -> Image.Image:
    return Image.open(BytesIO(page))


async def refusal(data: bytes, max_pages: int = 20) -> str:
    with pytest.raises(PermanentError) as caught:
        await draw_pdf(data, max_pages)
    return caught.value.code


async def stubborn(behaviour: str, data: bytes = b"", timeout_seconds: float = 20) -> list[bytes]:
    return await draw_pdf(data, timeout_seconds=timeout_seconds, command=(sys.executable, STUBBORN, behaviour))


def refused(data: bytes) -> str:
    with pytest.raises(RefusedError) as caught:
        list(draw_pages(data, 20))
    return str(caught.value.args[0])


async def test_pages_come_out_in_order_within_the_bounds_of_images() -> None:
    pages = [opened(page) for page in await draw_pdf(pdf([A4, "0 0 842 595", "0 0 300 300"]))]
    assert [(page.format, page.mode) for page in pages] == [("JPEG", "RGB")] * 3
    assert [page.size for page in pages] == [(1131, MAX_SIDE), (MAX_SIDE, 1131), (MAX_SIDE, MAX_SIDE)]
    assert all(min(page.convert("L").tobytes()) < 80 for page in pages), "something is printed on each"


async def test_a_document_with_a_password_is_refused() -> None:
    assert await refusal(encrypted()) == "pdf_encrypted"


async def test_a_document_without_pages_is_refused() -> None:
    assert refused(without_pages()) == "empty"


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"%PDF-1.7\n" + bytes(5000), pdf()[:200], pdf()[:60]])
async def test_broken_and_truncated_documents_are_refused(data: bytes) -> None:
    assert refused(data) == "unreadable"


async def test_broken_documents_are_refused_with_a_message_for_the_user() -> None:
    with pytest.raises(PermanentError) as caught:
        await draw_pdf(b"%PDF-1.7")
    assert caught.value.code == "pdf_unreadable"
    assert "PDF" in caught.value.message


async def test_ten_thousand_pages_are_refused_quickly() -> None:
    started = perf_counter()
    assert await refusal(pdf([A4] * 10_000)) == "too_many_pages"
    assert perf_counter() - started < 20


async def test_a_document_that_lies_about_its_number_of_pages_is_not_believed() -> None:
    lying = pdf([A4] * 30).replace(b"/Count 30", b"/Count 3 ")
    assert len(list(draw_pages(lying, 20))) <= 20


async def test_one_page_more_than_allowed_is_refused() -> None:
    assert await refusal(pdf([A4] * 3), max_pages=2) == "too_many_pages"
    assert len(await draw_pdf(pdf([A4] * 2), max_pages=2)) == 2


@pytest.mark.parametrize("box", ["0 0 200000 200000", "0 0 14401 842", "0 0 595 2", "0 0 999999999 999999999"])
async def test_pages_of_absurd_size_are_refused(box: str) -> None:
    assert refused(pdf([box])) == "page_size"


async def test_a_picture_that_unpacks_without_end_ends_at_a_limit() -> None:
    """An image of 60,000 x 60,000 that claims to be in the file; drawn small or refused, but not unpacked."""
    image = (
        "<< /Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB /BitsPerComponent 8"
        " /Length 10 >>\nstream\n0123456789\nendstream"
    )
    content, resources = "500 0 0 500 50 50 cm /I Do", "/Resources << /XObject << /I 4 0 R >> >>"
    bomb = assemble(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{A4}] /Contents 5 0 R {resources} >>",
            image,
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    )
    [page] = await draw_pdf(bomb)
    assert opened(page).size == (1131, MAX_SIDE)


async def test_more_than_twenty_megabytes_are_refused() -> None:
    assert await refusal(b"%PDF-1.7" + bytes(MAX_BYTES)) == "file_too_large"


async def test_a_document_that_takes_too_long_is_refused_and_its_process_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(PermanentError) as caught:
        await stubborn("never_end", str(note).encode(), timeout_seconds=3)
    assert caught.value.code == "pdf_too_complex"
    assert not psutil.pid_exists(int(note.read_text()))


async def test_cancelling_kills_the_process(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    async with anyio.create_task_group() as group:
        group.start_soon(stubborn, "never_end", str(note).encode())
        with anyio.fail_after(20):
            while not (note.exists() and note.read_text().isdigit()):  # noqa: ASYNC110 - another process sets no event
                await anyio.sleep(0.02)
        group.cancel_scope.cancel()
    assert not psutil.pid_exists(int(note.read_text()))


@pytest.mark.parametrize("behaviour", ["take_memory", "crash", "answer_too_much"])
async def test_a_process_that_hits_a_limit_or_crashes_is_not_tried_again(behaviour: str) -> None:
    with pytest.raises(PermanentError) as caught:
        await stubborn(behaviour)
    assert caught.value.code == "pdf_too_complex"


async def test_a_process_killed_from_outside_is_worth_another_attempt() -> None:
    with pytest.raises(RetryableError) as caught:
        await stubborn("kill_itself")
    assert caught.value.code == "pdf_stopped"


async def test_the_process_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "secret")
    [names] = await stubborn("tell_environment", b"x" * 1_000_000)
    assert b"SUPABASE_SECRET_KEY" not in names


@settings(max_examples=60, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 600), st.binary(min_size=1, max_size=12), st.integers(0, 700))
def test_damaged_documents_are_drawn_or_refused(position: int, damage: bytes, end: int) -> None:
    whole = pdf(["0 0 100 100"])
    data = (whole[:position] + damage + whole[position + len(damage) :])[: max(20, end)]
    with suppress(RefusedError):
        assert len(list(draw_pages(data, 20))) <= 20
