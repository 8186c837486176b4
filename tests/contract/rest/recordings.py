"""Recorded traffic of the real server: what was asked, what it answered, and what of both may differ in a replay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.databases import SHARED

TRUTH = SHARED / "truth" / "postgrest"

# These depend on the connection and the day, not on what was asked.
_HEADERS_THAT_DIFFER = {"date", "server", "content-length", "connection", "transfer-encoding"}
_MASKS = (
    (re.compile(r"202[5-9]-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?\+00(:00)?"), "<now>"),  # seeds are from 2024
    (re.compile(r'"(exp|iat)": \d+'), r'"\1": <time>'),
    (re.compile(r"Bearer (<jwt [^>]*>|[\w-]+\.[\w-]+\.[\w-]+)"), "Bearer <jwt>"),
    (re.compile(r'"host":"[^"]*"'), '"host":"<host>"'),
    (
        re.compile('different \\\\"DateStyle\\\\" setting'),
        'different \\\\"datestyle\\\\" setting',
    ),  # PostgreSQL 18 says it so
)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: str

    def comparable(self) -> Answer:
        """Without what is bound to differ from the recording."""
        kept = sorted((name.lower(), value) for name, value in self.headers if name.lower() not in _HEADERS_THAT_DIFFER)
        body = self.body
        for pattern, mask in _MASKS:
            body = pattern.sub(mask, body)
        return Answer(self.status, self.reason, tuple(kept), body)


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a recording. `answer` is None where the real server never gave one."""

    line: int
    name: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    answer: Answer | None

    @property
    def id(self) -> str:
        return f"{self.line:03d} {self.name}"


def read_recording(file: str) -> list[Case]:
    """Empty where the recordings are not at hand: the tests that need them are then skipped."""
    path: Path = TRUTH / file
    if not path.exists():
        return []
    return [_case(number, json.loads(line)) for number, line in enumerate(path.read_text().splitlines(), 1)]


def parameters(cases: Iterable[Case], leave_out: Mapping[int, str] | None = None) -> list[Any]:
    """One pytest parameter per answered case; `leave_out` gives the reason why a line's case is not compared."""
    found = []
    for case in cases:
        if case.answer is None:
            continue
        reason = (leave_out or {}).get(case.line)
        marks = [] if reason is None else [pytest.mark.skip(reason=reason)]
        found.append(pytest.param(case, id=case.id, marks=marks))
    return found or [pytest.param(None, marks=pytest.mark.skip(reason="no recordings beside the repository"))]


def _case(line: int, recorded: dict[str, Any]) -> Case:
    answer = None
    if recorded.get("status") is not None:
        headers = _pairs(recorded["response_headers"])
        answer = Answer(recorded["status"], recorded["reason"], headers, recorded["response_body"] or "")
    body = recorded["request_body"]
    return Case(
        line=line,
        name=recorded["name"],
        method=recorded["method"],
        path=recorded["path"],
        headers=_pairs(recorded["request_headers"]),
        body=body,
        answer=answer,
    )


def _pairs(headers: Mapping[str, str] | list[list[str]]) -> tuple[tuple[str, str], ...]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name, value) for name, value in pairs)
