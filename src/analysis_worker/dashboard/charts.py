"""Charts as SVG, drawn here: a browser needs no script and no permission for them. Pure.

Colours are classes of the style sheet, which knows light and dark. Every mark tells its number to who points at it, and
the whole chart is described in words; the pages give the numbers as a table beside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 6, 12, 28
_MARKS = 6


@dataclass(frozen=True, slots=True)
class Series:
    """`kind` is the class that gives the colour. None is where nothing was measured."""

    name: str
    kind: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a number is drawn: `labels` stand below, one for each place; `top` is the highest number."""

    labels: Sequence[str]
    top: float
    unit: str

    def x(self, place: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * place / max(1, len(self.labels))

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self.top

    def tell(self, value: float | None) -> str:
        if value is None:
            return "–"
        digits = 0 if value == round(value) else 1 if value >= 1 else 3
        return self._with_unit(f"{value:,.{digits}f}")

    def tell_shortly(self, value: float) -> str:
        """Beside the grid, where there is little room."""
        for size, letter in ((1_000_000, "M"), (1_000, "k")):
            if value >= size:
                return self._with_unit(f"{value / size:g}{letter}")
        return self.tell(value)

    def _with_unit(self, text: str) -> str:
        return f"${text}" if self.unit == "$" else f"{text} {self.unit}".rstrip()


def stacked_bars(
    title: str, labels: Sequence[str], series: Sequence[Series], line: Series | None = None, unit: str = ""
) -> Markup:
    """Bars of all series on top of each other, and a line over them."""
    totals = [sum(one.values[place] or 0 for one in series) for place in range(len(labels))]
    frame = _Frame(labels, _round_up([*totals, *(line.values if line else ())]), unit)
    told = [*series, *([line] if line else [])]
    marks = [_column(frame, place, told, _bars(frame, place, series)) for place in range(len(labels))]
    return _chart(title, frame, [*marks, *([_path(frame, line)] if line else [])])


def line_chart(title: str, labels: Sequence[str], line: Series, unit: str = "") -> Markup:
    frame = _Frame(labels, _round_up(line.values), unit)
    return _chart(title, frame, [*(_column(frame, place, [line]) for place in range(len(labels))), _path(frame, line)])


def timeline(
    title: str, begin: datetime, end: datetime, spans: Sequence[tuple[datetime, datetime, str, str]]
) -> Markup:
    """One row a span: when it began and ended, its kind, and what to say of it."""
    whole = max(0.001, (end - begin).total_seconds())
    height = 26 * len(spans) + 8
    rows = []
    for number, (since, until, kind, text) in enumerate(spans):
        left = 720 * max(0.0, (since - begin).total_seconds()) / whole
        width = max(4.0, 720 * (until - since).total_seconds() / whole)
        rows.append(
            Markup(
                '<g><title>{}</title><line class="rail" x1="0" x2="720" y1="{y}" y2="{y}"/>'
                '<rect class="bar {}" x="{:.1f}" y="{top}" width="{:.1f}" height="16" rx="3"/></g>'
            ).format(text, kind, min(left, 716.0), width, y=26 * number + 16, top=26 * number + 8)
        )
    return Markup('<svg class="timeline" viewBox="0 0 720 {}" role="img" aria-label="{}">{}</svg>').format(
        height, title, Markup("").join(rows)
    )


def _chart(title: str, frame: _Frame, marks: Sequence[Markup]) -> Markup:
    grid = [_grid_line(frame, frame.top * half / 2) for half in range(3)]
    every = max(1, math.ceil(len(frame.labels) / _MARKS))
    below = [
        Markup('<text class="below" x="{:.1f}" y="{}">{}</text>').format(frame.x(place + 0.5), HEIGHT - 6, label)
        for place, label in enumerate(frame.labels)
        if place % every == every // 2
    ]
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, title, Markup("").join([*grid, *below, *marks])
    )


def _grid_line(frame: _Frame, value: float) -> Markup:
    return Markup(
        '<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/><text class="beside" x="{}" y="{:.1f}">{}</text>'
    ).format(_LEFT, WIDTH - _RIGHT, _LEFT - 6, frame.y(value) + 5, frame.tell_shortly(value), y=frame.y(value))


def _column(frame: _Frame, place: int, told: Sequence[Series], marks: Markup | None = None) -> Markup:
    """What is at one place, and its numbers for who points anywhere near."""
    numbers = ", ".join(f"{one.name} {frame.tell(one.values[place])}" for one in told)
    return Markup(
        '<g><title>{}: {}</title><rect class="target" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>{}</g>'
    ).format(
        frame.labels[place],
        numbers,
        frame.x(place),
        _TOP,
        frame.x(1) - frame.x(0),
        HEIGHT - _TOP - _BOTTOM,
        marks or "",
    )


def _bars(frame: _Frame, place: int, series: Sequence[Series]) -> Markup:
    width = frame.x(1) - frame.x(0)
    parts, below = [], 0.0
    for one in series:
        value = one.values[place] or 0
        if value:
            upper = frame.y(below + value)
            parts.append(
                Markup('<rect class="bar {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                    one.kind, frame.x(place) + width * 0.1, upper, width * 0.8, frame.y(below) - upper
                )
            )
            below += value
    return Markup("").join(parts)


def _path(frame: _Frame, line: Series) -> Markup:
    """Broken where nothing was measured; a point that stands alone is a dot."""
    steps, pen_down = [], False
    for place, value in enumerate(line.values):
        if value is not None:
            point = f"{frame.x(place + 0.5):.1f} {frame.y(value):.1f}"
            steps.append(f"L{point}" if pen_down else f"M{point}h0.01")
        pen_down = value is not None
    return Markup('<path class="line {}" d="{}"/>').format(line.kind, "".join(steps))


def _round_up(values: Sequence[float | None]) -> float:
    """The highest, or a little more: twice a number that is easy to read, so that the middle line has one, too."""
    highest = max((value or 0 for value in values), default=0)
    if highest <= 0:
        return 2.0
    size = 10.0 ** math.floor(math.log10(highest))
    return next(size * step for step in (1, 2, 4, 6, 8, 10) if size * step >= highest)
