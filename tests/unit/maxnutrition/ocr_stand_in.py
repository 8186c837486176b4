"""An OCR process that misbehaves as its argument says; each box tells its process id."""

import os
import sys
import time
from pathlib import Path

from maxnutrition.exams.ocr_process import RawBox, serve

CORNERS = [[0.0, 0.0], [9.0, 0.0], [9.0, 5.0], [0.0, 5.0]]


def never_end(image: bytes) -> list[RawBox]:
    Path(image.decode()).write_text(str(os.getpid()), encoding="utf-8")
    while True:
        time.sleep(1)


def die(image: bytes) -> list[RawBox]:
    os._exit(9)


def tell_process(image: bytes) -> list[RawBox]:
    os.write(1, b"a library prints something")
    return [(str(os.getpid()), 1.0, CORNERS)]


def tell_environment(image: bytes) -> list[RawBox]:
    return [(name, 1.0, CORNERS) for name in os.environ]


def refuse(image: bytes) -> list[RawBox]:
    raise ValueError("not an image")


if __name__ == "__main__":
    serve({f.__name__: f for f in (never_end, die, tell_process, tell_environment, refuse)}[sys.argv[1]])
