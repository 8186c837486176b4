"""Text on images by rapidocr, in a process of its own that dies with the scope that waits for it."""

import importlib.util
import logging
import statistics
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_process
from PIL import Image

from analysis_worker import PermanentError, RetryableError
from maxnutrition.exams.lines import Box, Point

if TYPE_CHECKING:
    from rapidocr import RapidOCR

_UPRIGHT_SCORE = 0.85
"""Upright text scores above 0.95 on average, text on its head below 0.75."""

RawBox = tuple[str, float, list[list[float]]]


class Ocr:
    """Reads images one at a time per slot. The process starts with the first image and is kept between jobs."""

    def __init__(self, slots: int = 1) -> None:
        self._limiter = anyio.CapacityLimiter(slots)

    async def read(self, image: bytes) -> list[Box]:
        """Cancelling kills the process, so a page that never ends takes no core from the next job."""
        if not all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime")):
            raise PermanentError(
                "provider_not_configured",
                "A leitura de exames não está disponível neste servidor: falta instalar analysis-worker[ocr].",
            )
        try:
            raw = await anyio.to_process.run_sync(read_boxes, image, cancellable=True, limiter=self._limiter)
        except anyio.BrokenWorkerProcess as error:
            raise RetryableError("ocr_stopped", "A leitura da imagem foi interrompida.") from error
        return [Box(text, score, _corners(points)) for text, score, points in raw]


def read_boxes(image: bytes) -> list[RawBox]:
    """Runs in the other process: plain data in, plain data out. Turns pages that lie on a side or on their head."""
    page = Image.open(BytesIO(image)).convert("RGB")
    boxes = _read(page)
    if _lies_on_a_side(boxes):
        page = page.transpose(Image.Transpose.ROTATE_90)
        boxes = _read(page)
    if boxes and _mean_score(boxes) < _UPRIGHT_SCORE:
        turned = _read(page.transpose(Image.Transpose.ROTATE_180))
        boxes = max(boxes, turned, key=_mean_score)
    return boxes


@cache
def _engine() -> "RapidOCR":
    from rapidocr import RapidOCR  # noqa: PLC0415 - an optional extra, and only the OCR process may pay for it

    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    # Its classifier of upside-down lines is off: it turned "g/dL" into "7p/6".
    return RapidOCR(params={"Global.use_cls": False, "Global.log_level": "critical"})


def _read(page: Image.Image) -> list[RawBox]:
    import numpy as np  # noqa: PLC0415 - comes with the extra

    found: Any = _engine()(np.asarray(page)[:, :, ::-1])
    if found.txts is None:
        return []
    return [
        (text, float(score), points.tolist())
        for text, score, points in zip(found.txts, found.scores, found.boxes, strict=True)
    ]


def _lies_on_a_side(boxes: list[RawBox]) -> bool:
    tall = [_is_tall(points) for _, _, points in boxes]
    return sum(tall) > 0.5 * len(tall)


def _is_tall(points: list[list[float]]) -> bool:
    (ax, ay), (bx, by), _, (dx, dy) = points
    return (dx - ax) ** 2 + (dy - ay) ** 2 > 1.5 * ((bx - ax) ** 2 + (by - ay) ** 2)


def _mean_score(boxes: list[RawBox]) -> float:
    return statistics.fmean(score for _, score, _ in boxes) if boxes else 0.0


def _corners(points: list[list[float]]) -> tuple[Point, Point, Point, Point]:
    a, b, c, d = ((x, y) for x, y in points)
    return a, b, c, d
