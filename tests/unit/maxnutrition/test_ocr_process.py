import importlib.util
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_process
import psutil  # type: ignore[import-untyped]
import pytest

from analysis_worker import PermanentError, RetryableError
from maxnutrition.exams import ocr
from maxnutrition.exams.ocr import Ocr
from tests.unit.maxnutrition.slow_ocr import die_reading, never_end, process_id

pytestmark = pytest.mark.anyio


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE}


async def eventually(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not condition():  # noqa: ASYNC110 - another process sets no event here
            await anyio.sleep(0.02)


async def read_started_process(note: Path) -> int:
    await eventually(lambda: note.exists() and note.read_text().isdigit())
    return int(await anyio.Path(note).read_text())


async def test_cancelling_kills_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ocr, "read_boxes", never_end)
    note = tmp_path / "pid"
    async with anyio.create_task_group() as group:
        group.start_soon(Ocr().read, str(note).encode())
        pid = await read_started_process(note)
        assert pid in children()
        group.cancel_scope.cancel()
    await eventually(lambda: pid not in children())


async def test_a_timeout_kills_the_process_and_frees_the_slot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader = Ocr()
    monkeypatch.setattr(ocr, "read_boxes", never_end)
    note = tmp_path / "pid"
    with anyio.move_on_after(3) as scope:
        await reader.read(str(note).encode())
    assert scope.cancelled_caught
    pid = await read_started_process(note)
    await eventually(lambda: pid not in children())
    monkeypatch.setattr(ocr, "read_boxes", process_id)
    with anyio.fail_after(30):
        assert await reader.read(b"")


async def test_jobs_share_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "read_boxes", process_id)
    reader = Ocr()
    texts = [[box.text for box in await reader.read(b"")] for _ in range(3)]
    assert texts[0] == texts[1] == texts[2]
    assert int(texts[0][0]) in children()


async def test_a_process_that_dies_is_worth_another_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "read_boxes", die_reading)
    with pytest.raises(RetryableError) as caught:
        await Ocr().read(b"")
    assert caught.value.code == "ocr_stopped"


async def test_without_the_extra_the_job_fails_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PermanentError) as caught:
        await Ocr().read(b"")
    assert caught.value.code == "provider_not_configured"
    assert "analysis-worker[ocr]" in caught.value.message
