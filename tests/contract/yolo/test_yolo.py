from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from typing import Any

import anyio
import pytest
from aiohttp import web
from PIL import Image

from maxnutrition.detection.hints import BoxFormat, Detection, Detections, HintsUnavailable, Region
from maxnutrition.providers.yolo import FOOD, Profile, open_yolo
from tests.contract.yolo.detector import FORK, RICE, Detector, answer, detector

pytestmark = pytest.mark.anyio

IMPATIENT = Profile(timeout_seconds=0.3)


def photo(size: tuple[int, int] = (640, 480)) -> bytes:
    target = BytesIO()
    Image.new("RGB", size).save(target, format="JPEG")
    return target.getvalue()


@pytest.fixture
async def running() -> AsyncIterator[Detector]:
    async with detector() as started:
        yield started


def responding(status: int = 200, **how: Any) -> Callable[[], Awaitable[web.StreamResponse]]:
    async def respond() -> web.StreamResponse:
        return web.Response(status=status, **how)

    return respond


async def never() -> web.StreamResponse:
    await anyio.sleep_forever()
    raise AssertionError


async def reason(running: Detector, profile: Profile = FOOD) -> str:
    hints = await running.yolo.detect(photo(), profile)
    assert isinstance(hints, HintsUnavailable)
    assert "sem ele" in hints.message
    return hints.reason


async def test_what_was_seen_comes_with_labels_and_regions(running: Detector) -> None:
    running.detect = answer(FORK, RICE)
    hints = await running.yolo.detect(photo())
    assert hints == Detections(
        (
            Detection("rice", "arroz", 0.91, Region(10, 20, 100, 50), is_food=True),
            Detection("fork", "garfo", 0.55, Region(200, 5, 30, 150), is_food=False),
        ),
        "yolo11s-seg",
    )
    assert [food.label for food in hints.foods] == ["rice"]


async def test_the_photo_is_sent_as_bytes_with_what_is_wanted(running: Detector) -> None:
    await running.yolo.detect(photo(), Profile(min_confidence=0.5, max_detections=7))
    [upload] = running.uploads
    assert (upload.file, upload.content_type) == (photo(), "image/jpeg")
    wanted = {"confidence": "0.5", "max_detections": "7", "task": "detect"}
    assert (upload.query, upload.form) == (wanted, wanted)


async def test_a_detector_that_ignores_what_is_wanted_is_held_to_it(running: Detector) -> None:
    running.detect = answer(*({**RICE, "confidence": step / 10} for step in range(10)))
    hints = await running.yolo.detect(photo(), Profile(min_confidence=0.5, max_detections=3))
    assert isinstance(hints, Detections)
    assert [item.confidence for item in hints.items] == [0.9, 0.8, 0.7]


async def test_an_empty_plate_is_not_a_failure(running: Detector) -> None:
    running.detect = answer()
    assert await running.yolo.detect(photo()) == Detections((), "yolo11s-seg")


async def test_an_empty_answer_in_no_time_is_a_failed_inference(running: Detector) -> None:
    running.detect = answer(inference_time_ms=0)
    assert "failed inference" in await reason(running)
    running.detect = {"success": True, "objects": []}
    assert "failed inference" in await reason(running)


async def test_an_answer_that_says_it_failed_is_one(running: Detector) -> None:
    running.detect = answer(RICE, success=False, message="CUDA out of memory")
    assert await reason(running) == "the detector says that it failed"


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 429, 500, 502, 503])
async def test_errors_are_not_fatal(running: Detector, status: int) -> None:
    running.detect = responding(status, text='{"detail": "Invalid image"}', content_type="application/json")
    assert await reason(running) == f"the detector answered {status}"


async def test_a_redirect_is_not_followed(running: Detector) -> None:
    running.detect = responding(302, headers={"Location": "/health"})
    assert await reason(running) == "the detector answered 302"


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", "{", "[" * 100_000, "\x00\xff"])
async def test_what_is_no_json_is_not_fatal(running: Detector, body: str) -> None:
    running.detect = responding(text=body, content_type="text/html")
    assert await reason(running) == "the answer is no JSON"


@pytest.mark.parametrize("body", ["[]", "null", "3", '"ok"'])
async def test_json_that_is_no_object_is_not_fatal(running: Detector, body: str) -> None:
    running.detect = responding(text=body, content_type="application/json")
    assert await reason(running) == "the answer is no JSON object"


async def test_an_answer_of_megabytes_is_not_read(running: Detector) -> None:
    running.detect = responding(body=b" " * 3_000_000)
    assert await reason(running) == "the answer is too large"


async def test_a_detector_that_does_not_answer_is_given_up(running: Detector) -> None:
    running.detect = never
    assert await reason(running, IMPATIENT) == "the detector did not answer in time"


async def test_a_detector_that_is_not_there_is_not_fatal() -> None:
    async with open_yolo("http://127.0.0.1:9") as yolo:
        hints = await yolo.detect(photo())
        assert isinstance(hints, HintsUnavailable)
        assert "could not be reached" in hints.reason
        assert (await yolo.health()).status == "down"


async def test_the_box_format_is_what_the_setting_says() -> None:
    async with detector(BoxFormat.TWO_CORNERS) as running:
        running.detect = answer({**RICE, "bbox": [10, 20, 100, 50]})
        hints = await running.yolo.detect(photo())
        assert isinstance(hints, Detections)
        assert hints.items[0].region == Region(10, 20, 90, 30)


@pytest.mark.parametrize(
    ("health", "status"),
    [
        ({"status": "healthy", "model_loaded": True}, "healthy"),
        ({"status": "healthy"}, "healthy"),
        ({"status": "healthy", "model_loaded": False}, "degraded"),
        ({"status": "degraded", "model_loaded": False}, "degraded"),
        ({}, "degraded"),
        (responding(500), "down"),
        (responding(text="<html>"), "down"),
        (responding(text="[]"), "down"),
    ],
)
async def test_health_is_one_of_three(running: Detector, health: Any, status: str) -> None:
    running.health = health
    assert (await running.yolo.health()).status == status


async def test_a_health_check_without_answer_says_down(running: Detector) -> None:
    running.health = never
    assert (await running.yolo.health(timeout_seconds=0.2)).status == "down"
