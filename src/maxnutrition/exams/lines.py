"""From boxes of text on a photographed page to lines of cells, as somebody reads them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of text with its corners, clockwise from the top left of the text."""

    text: str
    score: float
    corners: tuple[Point, Point, Point, Point]

    @property
    def center(self) -> Point:
        return (sum(x for x, _ in self.corners) / 4, sum(y for _, y in self.corners) / 4)

    @property
    def width(self) -> float:
        return self.corners[1][0] - self.corners[0][0]

    @property
    def height(self) -> float:
        return ((self.corners[3][1] - self.corners[0][1]) + (self.corners[2][1] - self.corners[1][1])) / 2

    @property
    def slope(self) -> float:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.corners
        return ((by - ay) + (cy - dy)) / max(1.0, (bx - ax) + (cx - dx))


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Line:
    """Cells from left to right; a wide gap on the paper is a border between cells."""

    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        return "\t".join(cell.text for cell in self.cells)


def group_lines(boxes: Sequence[Box]) -> list[Line]:
    """Rows from top to bottom, also on a page turned by some degrees or seen in perspective."""
    heights = _heights_on_page_axis(boxes)
    placed = sorted(zip(heights, boxes, strict=True), key=lambda pair: pair[0])
    rows: list[list[tuple[float, Box]]] = []
    for height, box in placed:
        if rows and _same_row(rows[-1], height, box):
            rows[-1].append((height, box))
        else:
            rows.append([(height, box)])
    return [_line([box for _, box in row]) for row in rows]


def _same_row(row: list[tuple[float, Box]], height: float, box: Box) -> bool:
    level = statistics.fmean(other for other, _ in row)
    tallest_allowed = min(box.height, statistics.median(other.height for _, other in row))
    return height - level < 0.5 * max(1.0, tallest_allowed)


def _line(boxes: list[Box]) -> Line:
    ordered = sorted(boxes, key=lambda box: box.center[0])
    return Line(tuple(Cell(box.text, box.score) for box in ordered))


def _heights_on_page_axis(boxes: Sequence[Box]) -> list[float]:
    """Where the text line through each box crosses the vertical middle of the page.

    Parallel lines seen in perspective meet in one point, and for lines through one point the slope is a linear
    function of that crossing. Long boxes tell their slope well, so they fit the function and it then gives the
    slope for every box, also those of one letter.
    """
    if not boxes:
        return []
    middle = statistics.fmean(box.center[0] for box in boxes)
    long = [box for box in boxes if box.width > 3 * box.height] or list(boxes)
    typical = statistics.median(box.slope for box in long)
    long = [box for box in long if abs(box.slope - typical) < 0.1] or long
    points = [(box.center[1] - box.slope * (box.center[0] - middle), box.slope, box.width) for box in long]
    level, gain = _fit(points)
    heights = []
    for box in boxes:
        x, y = box.center[0] - middle, box.center[1]
        heights.append((y - level * x) / max(0.1, 1 + gain * x))
    return heights


def _fit(points: list[tuple[float, float, float]]) -> tuple[float, float]:
    """`slope = level + gain * crossing` by weighted least squares; constant where the points say too little."""
    weight = sum(w for _, _, w in points) or 1.0
    mean_x = sum(x * w for x, _, w in points) / weight
    mean_y = sum(y * w for _, y, w in points) / weight
    spread = sum(w * (x - mean_x) ** 2 for x, _, w in points)
    if len(points) < 4 or spread <= 0:
        return statistics.median(y for _, y, _ in points), 0.0
    gain = sum(w * (x - mean_x) * (y - mean_y) for x, y, w in points) / spread
    return mean_y - gain * mean_x, gain
