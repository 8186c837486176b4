"""A PDF process that misbehaves as its first argument says."""

import os
import sys
import time
from pathlib import Path

from maxnutrition.media.pdf_process import give_up_resources


def never_end() -> None:
    Path(sys.stdin.buffer.read().decode()).write_text(str(os.getpid()), encoding="utf-8")
    while True:
        time.sleep(1)


def take_memory() -> None:
    give_up_resources(300 * 1024 * 1024, 5)
    bytearray(400 * 1024 * 1024)


def kill_itself() -> None:
    os.kill(os.getpid(), 9)


def crash() -> None:
    os.abort()


def answer_too_much() -> None:
    os.write(1, b"\xff\xff\xff\xff")
    time.sleep(60)


def tell_environment() -> None:
    sys.stdin.close()
    names = " ".join(os.environ).encode()
    os.write(1, b'\x00\x00\x00\x0c{"pages": 1}' + len(names).to_bytes(4, "big") + names)


if __name__ == "__main__":
    cases = (never_end, take_memory, kill_itself, crash, answer_too_much, tell_environment)
    {case.__name__: case for case in cases}[sys.argv[1]]()
