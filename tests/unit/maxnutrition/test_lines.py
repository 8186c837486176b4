import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxnutrition.exams.lines import Box, Point, group_lines

ROWS, COLUMNS = 30, (60, 470, 640, 850)
Camera = Callable[[float, float], Point]


def table(camera: Camera) -> list[Box]:
    """A page of rows 40 px apart, as `camera` sees it; the columns hold words of different length."""
    words = ("Nome do exame {}", "{}", "g/dL", "10,0 a 20,{}")
    boxes = []
    for row in range(ROWS):
        for left, word in zip(COLUMNS, words, strict=True):
            text = word.format(row)
            top, bottom, right = 100 + 40 * row, 124 + 40 * row, left + 13 * len(text)
            corners = (camera(left, top), camera(right, top), camera(right, bottom), camera(left, bottom))
            boxes.append(Box(text, 0.9, corners))
    return sorted(boxes, key=lambda box: box.corners[0][1])


def expected() -> list[str]:
    return [f"Nome do exame {row}\t{row}\tg/dL\t10,0 a 20,{row}" for row in range(ROWS)]


def turned(degrees: float) -> Camera:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return lambda x, y: (x * cos - y * sin, x * sin + y * cos)


def tilted(gain_x: float, gain_y: float, degrees: float) -> Camera:
    turn = turned(degrees)

    def see(x: float, y: float) -> Point:
        depth = 1 + gain_x * x / 1000 + gain_y * y / 1000
        return turn(x / depth, y / depth)

    return see


@pytest.mark.parametrize("degrees", [-15, -5, -1, 0, 0.5, 3, 8, 15])
def test_rows_survive_a_turned_page(degrees: float) -> None:
    assert [line.text for line in group_lines(table(turned(degrees)))] == expected()


@pytest.mark.parametrize(("gain_x", "gain_y"), [(0.15, 0.0), (-0.15, 0.0), (0.0, 0.2), (0.1, -0.1), (-0.1, 0.15)])
@pytest.mark.parametrize("degrees", [-6, 0, 6])
def test_rows_survive_perspective(gain_x: float, gain_y: float, degrees: float) -> None:
    assert [line.text for line in group_lines(table(tilted(gain_x, gain_y, degrees)))] == expected()


def test_cells_stand_from_left_to_right_with_their_scores() -> None:
    [line, *_] = group_lines(table(turned(0)))
    assert [(cell.text, cell.score) for cell in line.cells][:2] == [("Nome do exame 0", 0.9), ("0", 0.9)]


def test_an_empty_page_has_no_lines() -> None:
    assert group_lines([]) == []


@given(st.lists(st.tuples(*[st.floats(-5000, 5000)] * 8), max_size=20))
def test_no_geometry_loses_a_box(quads: list[tuple[float, ...]]) -> None:
    boxes = [Box("x", 1.0, ((q[0], q[1]), (q[2], q[3]), (q[4], q[5]), (q[6], q[7]))) for q in quads]
    assert sum(len(line.cells) for line in group_lines(boxes)) == len(boxes)
