import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import anyio
import psutil
import pytest
from PIL import Image

from analysis_worker import PermanentError, RetryableError
from maxnutrition.exams.ocr import Ocr, open_ocr

pytestmark = pytest.mark.anyio
pytest.importorskip("rapidocr", reason="needs the extra analysis-worker[ocr]")

STAND_IN = str(Path(__file__).with_name("ocr_stand_in.py"))


@asynccontextmanager
async def stand_in(behaviour: str) -> AsyncIterator[Ocr]:
    ocr = Ocr((sys.executable, STAND_IN, behaviour))
    try:
        yield ocr
    finally:
        await ocr.aclose()


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}


async def eventually(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not condition():  # noqa: ASYNC110 - another process sets no event here
            await anyio.sleep(0.02)


async def process_of(note: Path) -> int:
    await eventually(lambda: note.exists() and note.read_text().isdigit())
    return int(await anyio.Path(note).read_text())


async def test_cancelling_kills_the_process(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    async with stand_in("never_end") as ocr, anyio.create_task_group() as group:
        group.start_soon(ocr.read, str(note).encode())
        pid = await process_of(note)
        assert pid in children()
        group.cancel_scope.cancel()
    assert pid not in children()


async def test_a_timeout_kills_the_process_and_the_next_job_gets_a_new_one(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with stand_in("never_end") as ocr:
        for note in (first, second):
            async with anyio.create_task_group() as group:
                group.start_soon(ocr.read, str(note).encode())
                pid = await process_of(note)
                group.cancel_scope.cancel()
            assert pid not in children()
    assert first.read_text() != second.read_text()


async def test_jobs_share_one_process_whatever_it_prints() -> None:
    async with stand_in("tell_process") as ocr:
        pids = {box.text for _ in range(3) for box in await ocr.read(b"image")}
        [pid] = map(int, pids)
        assert pid in children()
    assert pid not in children()


async def test_jobs_at_the_same_time_take_turns() -> None:
    pids: list[str] = []

    async def read(ocr: Ocr) -> None:
        pids.extend(box.text for box in await ocr.read(b"image"))

    async with stand_in("tell_process") as ocr, anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(read, ocr)
    assert len(pids) == 4
    assert len(set(pids)) == 1


async def test_a_process_killed_between_jobs_is_replaced() -> None:
    async with stand_in("tell_process") as ocr:
        [box] = await ocr.read(b"image")
        psutil.Process(int(box.text)).kill()
        await eventually(lambda: not psutil.pid_exists(int(box.text)))
        await anyio.wait_all_tasks_blocked()
        assert [other.text for other in await ocr.read(b"image")] != [box.text]


@pytest.mark.parametrize("behaviour", ["die", "refuse"])
async def test_a_process_that_dies_is_worth_another_attempt(behaviour: str) -> None:
    async with stand_in(behaviour) as ocr:
        with pytest.raises(RetryableError) as caught:
            await ocr.read(b"image")
    assert caught.value.code == "ocr_stopped"


async def test_the_process_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "secret")
    async with stand_in("tell_environment") as ocr:
        assert "SUPABASE_SECRET_KEY" not in [box.text for box in await ocr.read(b"image")]


async def test_without_the_extra_the_job_fails_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    async with open_ocr() as ocr:
        with pytest.raises(PermanentError) as caught:
            await ocr.read(b"image")
    assert caught.value.code == "provider_not_configured"
    assert "analysis-worker[ocr]" in caught.value.message


async def test_whoever_made_the_reader_hears_nothing_of_it(tmp_path: Path) -> None:
    """It would leave an id of this machine at home before it reports."""
    page = BytesIO()
    Image.new("RGB", (200, 100), "white").save(page, "PNG")
    frame = len(page.getvalue()).to_bytes(4, "big") + page.getvalue()
    command = [sys.executable, "-m", "maxnutrition.exams.ocr_process"]
    answer = await anyio.run_process(command, input=frame, env={"HOME": str(tmp_path)})
    assert answer.stdout[4:] == b"[]"
    assert [path async for path in anyio.Path(tmp_path).iterdir()] == []
