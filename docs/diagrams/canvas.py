"""Boxes, arrows and words as an SVG that is readable in light and in dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

Point = tuple[float, float]
_LINE = 15
_STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #1f2933; }
    .title { font-weight: 600; font-size: 13px; }
    .note { fill: #52606d; font-size: 11.5px; }
    .back { fill: #ffffff; }
    .box { fill: #f5f7fa; stroke: #9aa5b1; }
    .ours { fill: #e0f2f1; stroke: #00897b; }
    .end { fill: #fff8e1; stroke: #c79100; }
    .zone { fill: none; stroke: #9aa5b1; stroke-dasharray: 5 4; }
    .line { fill: none; stroke: #3e4c59; stroke-width: 1.4; }
    .hint { fill: none; stroke: #00897b; stroke-width: 1.4; stroke-dasharray: 4 3; }
    .tip { fill: #3e4c59; }
    .hint-tip { fill: #00897b; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e4e7eb; }
      .note { fill: #b8c0cc; }
      .back { fill: #1e2129; }
      .box { fill: #2b313c; stroke: #7b8794; }
      .ours { fill: #0f3d3a; stroke: #4db6ac; }
      .end { fill: #40360f; stroke: #e0b94b; }
      .zone { stroke: #7b8794; }
      .line { stroke: #cbd2d9; }
      .hint { stroke: #4db6ac; }
      .tip { fill: #cbd2d9; }
      .hint-tip { fill: #4db6ac; }
    }"""
_TIPS = "".join(
    f'<marker id="{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    f'orient="auto-start-reverse"><path class="{css}" d="M0 0L10 5L0 10z"/></marker>'
    for kind, css in (("line-end", "tip"), ("hint-end", "hint-tip"))
)


@dataclass
class Canvas:
    """Pixels, from the top left. `about` is what somebody hears who does not see it."""

    width: int
    height: int
    about: str
    _parts: list[str] = field(default_factory=list)

    def box(self, at: Point, size: Point, title: str, *notes: str, kind: str = "box") -> None:
        (x, y), (width, height) = at, size
        self._parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>')
        top = y + (height - _LINE * len(notes)) / 2 + 4
        self.words((x + width / 2, top), title, kind="title", anchor="middle")
        for number, note in enumerate(notes, start=1):
            self.words((x + width / 2, top + _LINE * number + 1), note, kind="note", anchor="middle")

    def zone(self, at: Point, size: Point, title: str) -> None:
        (x, y), (width, height) = at, size
        self._parts.append(f'<rect class="zone" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>')
        self.words((x + 10, y + 18), title, kind="note")

    def arrow(self, *points: Point, kind: str = "line", both: bool = False) -> None:
        path = "M" + "L".join(f"{x} {y}" for x, y in points)
        start = f' marker-start="url(#{kind}-end)"' if both else ""
        self._parts.append(f'<path class="{kind}" d="{path}" marker-end="url(#{kind}-end)"{start}/>')

    def dashes(self, start: Point, end: Point) -> None:
        self._parts.append(f'<path class="zone" d="M{start[0]} {start[1]}L{end[0]} {end[1]}"/>')

    def words(self, at: Point, *lines: str, kind: str = "", anchor: str = "start") -> None:
        for number, line in enumerate(lines):
            y = at[1] + _LINE * number
            self._parts.append(f'<text class="{kind}" x="{at[0]}" y="{y}" text-anchor="{anchor}">{escape(line)}</text>')

    def to_svg(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img">'
        )
        back = f'<rect class="back" width="{self.width}" height="{self.height}" rx="8"/>'
        parts: Sequence[str] = (
            head,
            f"<title>{escape(self.about)}</title>",
            f"<style>{_STYLE}\n</style>",
            f"<defs>{_TIPS}</defs>",
            back,
            *self._parts,
            "</svg>",
        )
        return "\n".join(parts) + "\n"
