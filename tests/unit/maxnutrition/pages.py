"""Pages of text for parser tests: one string a line, cells set apart by "|"."""

from collections.abc import Sequence

from maxnutrition.contracts.medical_exam import Analyte, MedicalExamResult
from maxnutrition.exams.analytes import read_analytes
from maxnutrition.exams.lines import Cell, Line
from maxnutrition.exams.page_reading import read_page
from maxnutrition.exams.report import write_report


def page(text: str, score: float = 1.0) -> list[Line]:
    rows = [row.strip() for row in text.strip().splitlines()]
    return [Line(tuple(Cell(cell.strip(), score) for cell in row.split("|") if cell.strip())) for row in rows]


def report(lines: Sequence[Line]) -> MedicalExamResult:
    return write_report([read_page(lines)])


def analytes(text: str) -> list[Analyte]:
    return [reading.analyte for reading in read_analytes(page(text))]


def only(text: str) -> Analyte:
    [analyte] = analytes(text)
    return analyte


def bounds(analyte: Analyte) -> tuple[float | None, float | None]:
    assert analyte.reference is not None
    return analyte.reference.low, analyte.reference.high
