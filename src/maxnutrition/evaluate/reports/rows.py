"""Rows of reports, each with what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Truth:
    key: str
    value: float | str
    unit: str
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.key} {self.value} {self.unit} [{self.low}, {self.high}]"


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` are as many as the layout has columns."""

    cells: tuple[str, ...]
    truths: tuple[Truth, ...]


def tables() -> dict[str, list[Row]]:
    """By their titles, from `printed.txt`, which says how it is written."""
    found: dict[str, list[Row]] = {}
    title = ""
    for line in (resources.files(__package__) / "printed.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            title = line.strip("[]")
        elif line and not line.startswith("#"):
            found.setdefault(title, []).append(_row(line))
    return found


def _row(line: str) -> Row:
    printed, _, truths = line.partition("=>")
    cells = tuple(cell.strip() for cell in printed.split("|"))
    return Row(cells, tuple(_truth(truth.split()) for truth in truths.split(";")))


def _truth(words: Sequence[str]) -> Truth:
    key, value, unit, low, high = words
    return Truth(key, _number(value), unit, _bound(low), _bound(high))


def _number(word: str) -> float | str:
    """A result that is no number is written with "_" for its spaces."""
    return word.replace("_", " ") if word[0] in "<>" or word[0].isalpha() else float(word)


def _bound(word: str) -> float | None:
    return None if word == "-" else float(word)
