"""Which results are the same thing, and whether they say the same."""

from __future__ import annotations

from maxnutrition.contracts.medical_exam import Analyte
from maxnutrition.exams.names import DIFFERENTIAL, find_analyte
from maxnutrition.exams.text import squeeze


def identity(analyte: Analyte) -> str:
    """The key, also for a result that came without one, else the name without what OCR confuses."""
    if analyte.key:
        return analyte.key
    known = find_analyte(analyte.name)
    if known is None:
        return squeeze(analyte.name)
    return f"{known.key}_percent" if known.key in DIFFERENTIAL and analyte.unit == "%" else known.key


def says_the_same(one: Analyte, other: Analyte) -> bool:
    """The same number, or the same words; a unit that one of them lacks is no difference."""
    if one.unit and other.unit and one.unit != other.unit:
        return False
    if one.value is None or other.value is None:
        return squeeze(one.value_text or "") == squeeze(other.value_text or "") and one.value == other.value
    return abs(one.value - other.value) <= 1e-9 * max(abs(one.value), abs(other.value))
