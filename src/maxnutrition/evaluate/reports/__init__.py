"""How many values of twelve drawn lab reports come out right: key, value, unit and reference bounds."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

from maxnutrition.contracts.medical_exam import Analyte
from maxnutrition.evaluate.reports.cases import Case, cases
from maxnutrition.evaluate.reports.rows import Truth
from maxnutrition.evaluate.score import Score
from maxnutrition.exams.lines import Box, group_lines
from maxnutrition.exams.ocr_process import read_boxes
from maxnutrition.exams.page_reading import read_page
from maxnutrition.media.images import sanitise


def evaluate() -> Score:
    """Over a minute of computing. A result that the page does not have counts as one more case, failed."""
    tried, failures = 0, []
    for case in cases():
        wanted = {truth.key: truth for truth in case.truths}
        found = {said.key: said for said in map(_said, _read(case))}
        tried += len(wanted.keys() | found.keys())
        failures += [f"{case.name}: {failure}" for failure in _differences(wanted, found)]
    return Score("lab reports", tried, tried - len(failures), failures)


def _read(case: Case) -> list[Analyte]:
    picture = BytesIO()
    case.picture().save(picture, format="PNG")
    boxes = [
        Box(text, confidence, ((ax, ay), (bx, by), (cx, cy), (dx, dy)))
        for text, confidence, ((ax, ay), (bx, by), (cx, cy), (dx, dy)) in read_boxes(sanitise(picture.getvalue()))
    ]
    return read_page(group_lines(boxes)).analytes


def _differences(wanted: Mapping[str, Truth], found: Mapping[str, Truth]) -> list[str]:
    return [
        f"{wanted.get(key, 'nothing')}, read as {found.get(key, 'nothing')}"
        for key in sorted(wanted.keys() | found.keys())
        if found.get(key) != wanted.get(key)
    ]


def _said(analyte: Analyte) -> Truth:
    reference = analyte.reference
    return Truth(
        key=analyte.key or analyte.name,
        value=analyte.value if analyte.value is not None else analyte.value_text or "",
        unit=analyte.unit or "",
        low=reference.low if reference else None,
        high=reference.high if reference else None,
    )
