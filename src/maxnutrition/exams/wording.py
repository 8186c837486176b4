"""Numbers in sentences, as Brazilians write them."""

from __future__ import annotations

from maxnutrition.contracts.medical_exam import Analyte

_BRAZILIAN = str.maketrans(",.", ".,")


def say_result(analyte: Analyte) -> str:
    """ "12.480 /mm³", "10,9 g/dL", "< 10,0 UI/mL"."""
    number = analyte.value_text if analyte.value is None else f"{analyte.value:,}".removesuffix(".0")
    spoken = number if analyte.value is None else (number or "").translate(_BRAZILIAN)
    return " ".join(part for part in (spoken, analyte.unit) if part)
