"""The words of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found and, unless all is well, what to do about it."""

    check: str
    level: Level
    detail: str
    fix: str = ""


def ok(check: str, detail: str) -> Finding:
    return Finding(check, Level.OK, detail)


def warning(check: str, detail: str, fix: str) -> Finding:
    return Finding(check, Level.WARNING, detail, fix)


def fault(check: str, detail: str, fix: str) -> Finding:
    return Finding(check, Level.FAULT, detail, fix)


def skipped(check: str, detail: str) -> Finding:
    return Finding(check, Level.SKIPPED, detail)
