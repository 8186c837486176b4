"""One page: lines in, what it says out, small enough to be kept until the whole exam is read."""

import re
from collections.abc import Sequence
from datetime import date

from maxnutrition.contracts.common import Contract
from maxnutrition.contracts.medical_exam import Analyte
from maxnutrition.exams.analytes import read_analytes
from maxnutrition.exams.lines import Line
from maxnutrition.exams.privacy import without_personal_data
from maxnutrition.exams.text import fold

MAX_TEXT = 8000
"""Characters of a page's text. A full page of small print has 5,000."""

_COLLECTED = re.compile(r"(?:coleta|coletad[oa]|colhid[oa])[^\d]{0,20}(\d{2})[/.-](\d{2})[/.-](\d{4})")
_LABORATORY = re.compile(r"laborator|analises|diagnostic|medicina")
_LETTERHEAD_LINES = 3


class PageReading(Contract):
    """`misread` names the analytes whose comma OCR may have lost. No field says who the patient is."""

    analytes: list[Analyte]
    misread: list[str]
    collected_at: date | None
    laboratory: str | None
    raw_text: str


def read_page(lines: Sequence[Line]) -> PageReading:
    """A page without any result is one with no analytes: covers and closing pages belong to reports."""
    readings = read_analytes(lines)
    return PageReading(
        analytes=[reading.analyte for reading in readings],
        misread=[reading.analyte.name for reading in readings if reading.lost_comma],
        collected_at=_collected_at(lines),
        laboratory=_laboratory(lines),
        raw_text=without_personal_data(lines)[:MAX_TEXT],
    )


def _collected_at(lines: Sequence[Line]) -> date | None:
    for line in lines:
        if found := _COLLECTED.search(fold(line.text)):
            try:
                return date(int(found[3]), int(found[2]), int(found[1]))
            except ValueError:
                return None
    return None


def _laboratory(lines: Sequence[Line]) -> str | None:
    """A name is only taken from the letterhead, and only where it says what it is."""
    for line in lines[:_LETTERHEAD_LINES]:
        name = line.cells[0].text.strip()
        if _LABORATORY.search(fold(name)) and not re.search(r"[\d:]", name) and len(name) <= 80:
            return name
    return None
