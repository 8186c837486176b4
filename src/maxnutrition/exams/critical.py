"""Results so far from normal that laboratories call the doctor: the user is told to seek care, and nothing else.

The limits are the means of a survey of 92 medical centres: Kost GJ, "Critical limits for urgent clinician notification
at US medical centers", JAMA 1990;263(5):704-707. They hold for adults. What has no limit there has none here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maxnutrition.contracts.medical_exam import Analyte
from maxnutrition.exams.numbers import scan
from maxnutrition.exams.wording import say_result


@dataclass(frozen=True, slots=True)
class Limits:
    """At or beyond these a result is critical. `units` holds the factor from each unit to that of the limits."""

    low: float
    high: float
    units: Mapping[str, float]


_COUNTS = {
    "/mm³": 0.001,
    "/µL": 0.001,
    "mil/mm³": 1.0,
    "mil/µL": 1.0,
    "10³/µL": 1.0,
    "10³/mm³": 1.0,
}
_LIMITS: dict[str, Limits] = {
    "glucose": Limits(46, 484, {"mg/dL": 1.0, "mmol/L": 18.016}),
    "potassium": Limits(2.8, 6.2, {"mEq/L": 1.0, "mmol/L": 1.0}),
    "sodium": Limits(120, 158, {"mEq/L": 1.0, "mmol/L": 1.0}),
    "calcium": Limits(6.6, 12.9, {"mg/dL": 1.0, "mmol/L": 4.008}),
    "hemoglobin": Limits(6.6, 19.9, {"g/dL": 1.0, "g/L": 0.1}),
    "hematocrit": Limits(18, 61, {"%": 1.0}),
    "platelets": Limits(37, 910, _COUNTS),
    "leukocytes": Limits(2.0, 37.0, _COUNTS),
}


def is_critical(analyte: Analyte) -> bool:
    """False for a result without a unit: 250 platelets are few, 250 thousand are not."""
    limits = _LIMITS.get(analyte.key or "")
    factor = limits.units.get(analyte.unit or "") if limits else None
    if limits is None or factor is None:
        return False
    at_least, at_most = _bounds(analyte)
    is_low = at_most is not None and round(at_most * factor, 6) <= limits.low
    is_high = at_least is not None and round(at_least * factor, 6) >= limits.high
    return is_low or is_high


def critical_warnings(analytes: Iterable[Analyte]) -> list[str]:
    return [
        f"{analyte.name}: {say_result(analyte)} é um resultado crítico. Confira no laudo e, se estiver certo, "
        "procure atendimento médico agora."
        for analyte in analytes
        if is_critical(analyte)
    ]


def _bounds(analyte: Analyte) -> tuple[float | None, float | None]:
    """Of the result: twice the number, or the one side that a comparison like "< 2.000" gives."""
    if analyte.value is not None:
        return analyte.value, analyte.value
    spans = scan(analyte.value_text or "")
    return (spans[0].low, spans[0].high) if len(spans) == 1 else (None, None)
