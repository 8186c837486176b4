"""Stand-ins for `read_boxes`; they run in the OCR process, so they are importable from there."""

import os
import time
from pathlib import Path

from maxnutrition.exams.ocr import RawBox

CORNERS = [[0.0, 0.0], [9.0, 0.0], [9.0, 5.0], [0.0, 5.0]]


def never_end(image: bytes) -> list[RawBox]:
    Path(image.decode()).write_text(str(os.getpid()), encoding="utf-8")
    while True:
        time.sleep(1)


def process_id(image: bytes) -> list[RawBox]:
    return [(str(os.getpid()), 1.0, CORNERS)]


def die_reading(image: bytes) -> list[RawBox]:
    os._exit(9)
