"""The process that reads text on images: `python -m maxnutrition.exams.ocr_process`, spoken to by `ocr.py`.

Both directions carry frames: four bytes of length, big-endian, then the body. In: an image. Out: JSON, a list of
`[text, score, [[x, y] x 4]]`. It ends when its input ends, so it never outlives the worker.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image

if TYPE_CHECKING:
    from rapidocr import RapidOCR

RawBox = tuple[str, float, list[list[float]]]

_UPRIGHT_SCORE = 0.85
"""Upright text scores above 0.95 on average, text on its head below 0.75."""


def read_boxes(image: bytes) -> list[RawBox]:
    """Turns pages that lie on a side or on their head; the corners are those of the turned page."""
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
def _engine() -> RapidOCR:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # or onnxruntime reports to its maker, under an id that it leaves at home
    from rapidocr import RapidOCR  # noqa: PLC0415 - an optional extra

    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    # Its classifier of upside-down lines is off: it turned "g/dL" into "7p/6". Boxes need less certainty than by
    # default: on a blurred page it left out whole rows, and what is no text scores too low to be kept anyway.
    return RapidOCR(params={"Global.use_cls": False, "Global.log_level": "critical", "Det.box_thresh": 0.3})


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
    return sum(_is_tall(points) for _, _, points in boxes) > 0.5 * len(boxes)


def _is_tall(points: list[list[float]]) -> bool:
    (ax, ay), (bx, by), _, (dx, dy) = points
    return (dx - ax) ** 2 + (dy - ay) ** 2 > 1.5 * ((bx - ax) ** 2 + (by - ay) ** 2)


def _mean_score(boxes: list[RawBox]) -> float:
    return statistics.fmean(score for _, score, _ in boxes) if boxes else 0.0


def serve(read: Callable[[bytes], list[RawBox]]) -> None:
    """Whatever a library prints goes to stderr, not between the frames."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while image := _next_frame(sys.stdin.buffer):
        body = json.dumps(read(image)).encode()
        answers.write(len(body).to_bytes(4, "big") + body)
        answers.flush()


def _next_frame(source: BinaryIO) -> bytes:
    size = int.from_bytes(source.read(4), "big")
    return source.read(size)


if __name__ == "__main__":
    serve(read_boxes)
