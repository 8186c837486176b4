"""Second half of the parser: drafts become analytes."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maxnutrition.contracts.medical_exam import Analyte, ReferenceRange
from maxnutrition.exams.drafts import Draft, collect
from maxnutrition.exams.lines import Line
from maxnutrition.exams.names import DIFFERENTIAL
from maxnutrition.exams.numbers import Span, scan
from maxnutrition.exams.reference import judge, read_entries, read_reference
from maxnutrition.exams.text import squeeze
from maxnutrition.exams.units import is_canonical

_LOST_COMMA = 5.0
"""Times above the range from which a result without decimals, under a range with decimals, looks misread."""


@dataclass(frozen=True, slots=True)
class Reading:
    analyte: Analyte
    lost_comma: bool


def read_analytes(lines: Iterable[Line]) -> list[Reading]:
    """Every result on the page, once. Unknown names count only with number, unit and reference range."""
    readings: dict[str, Reading] = {}
    for draft in collect(lines):
        for reading in _finish(draft):
            same = reading.analyte.key or squeeze(reading.analyte.name)
            if same not in readings or (readings[same].analyte.value is None and reading.analyte.value is not None):
                readings[same] = reading
    return list(readings.values())


def _finish(draft: Draft) -> list[Reading]:
    if draft.known is None and not any(read_entries(text) for text in draft.references):
        return []
    if draft.word is not None:
        return [_reading(draft, None, None, draft.references)]
    if len(draft.results) > 1 and (pair := _as_columns(draft)):
        return [_reading(draft, value, unit, texts) for value, unit, texts in pair]
    value = draft.results[0]
    unit = _unit_of(value.unit or draft.unit, _unit_of_ranges(draft.references))
    if draft.known is None and unit is None:
        return []
    return [_reading(draft, value, unit, draft.references)]


def _unit_of(printed: str | None, of_ranges: str | None) -> str | None:
    """The reference repeats the unit: it knows better where that of the result is missing, or none that exists."""
    if printed is None or (of_ranges and is_canonical(of_ranges) and not is_canonical(printed)):
        return of_ranges
    return printed


def _unit_of_ranges(references: Sequence[str]) -> str | None:
    units = {span.unit for text in references for span in scan(text) if span.kind == "range" and span.unit}
    return units.pop() if len(units) == 1 else None


def _as_columns(draft: Draft) -> list[tuple[Span, str, list[str]]]:
    """The percent and the absolute column of a leucogram, each with its own range."""
    first, second = draft.results[:2]
    is_counted = draft.known is not None and (draft.known.key in DIFFERENTIAL or draft.known.key == "leukocytes")
    units = [first.unit, second.unit] if first.unit and second.unit else list(draft.columns[:2])
    if is_counted and len(units) < 2 and _are_share_and_count(first.low, second.low):
        units = ["%", "/mm³"]
    if not is_counted or len(units) < 2 or "%" not in units or units[0] == units[1]:
        return []
    texts = _share(draft.references, draft.results[:2], units)
    columns = [(value, str(unit), text) for value, unit, text in zip(draft.results, units, texts, strict=False)]
    return [column for column in columns if draft.known and (column[1] != "%" or draft.known.key in DIFFERENTIAL)]


def _are_share_and_count(share: float | None, count: float | None) -> bool:
    """Whether `share` percent of the 1,000 to 150,000 cells that blood may hold can be `count`: else it is history."""
    if share is None or count is None or share > 100:
        return False
    return 10 * share <= count <= 1500 * share


def _share(references: Sequence[str], values: Sequence[Span], units: Sequence[str | None]) -> list[list[str]]:
    """Two ranges belong to two columns in order; a single one to the column with its unit, else the nearer in size."""
    ranges = [(text, entry.span) for text in references for entry in read_entries(text)]
    if len(ranges) == 2:
        in_order = ranges[0][1].unit != units[1] or ranges[1][1].unit != units[0]
        ordered = ranges if in_order else ranges[::-1]
        return [[ordered[0][0]], [ordered[1][0]]]
    if len(ranges) != 1:
        return [[], list(references)]
    span = ranges[0][1]
    if span.unit in units:
        owner = units.index(span.unit)
    else:
        owner = min((0, 1), key=lambda column: _distance(values[column], span))
    return [list(references) if owner == column else [] for column in (0, 1)]


def _distance(value: Span, reference: Span) -> float:
    bounds = [bound for bound in (reference.low, reference.high) if bound is not None]
    middle = sum(bounds) / len(bounds)
    return abs(math.log1p(value.low or 0.0) - math.log1p(middle))


def _reading(draft: Draft, result: Span | None, unit: str | None, references: Sequence[str]) -> Reading:
    text = "; ".join(references).replace(":;", ":")
    reference = read_reference(text)
    is_number = result is not None and result.kind == "value"
    lost_comma = result is not None and _lost_comma(result, reference)
    key = draft.known.key if draft.known else None
    analyte = Analyte(
        name=draft.name,
        key=f"{key}_percent" if key in DIFFERENTIAL and unit == "%" else key,
        value=result.low if result is not None and is_number else None,
        value_text=None if is_number else _as_text(draft, result),
        unit=unit,
        reference=reference,
        flag=judge(result, unit, text) if result is not None else "unknown",
        confidence=_confidence(draft, unit, lost_comma=lost_comma),
    )
    return Reading(analyte, lost_comma)


def _as_text(draft: Draft, result: Span | None) -> str | None:
    return draft.word if result is None else re.sub(r"^([<>≤≥]=?)\s*", r"\1 ", result.text)


def _lost_comma(result: Span, reference: ReferenceRange | None) -> bool:
    """Whether OCR may have read "10,9" as "109" or "1,234" as "1.234"."""
    if reference is None or reference.high is None or result.low is None:
        return False
    differs = "," not in result.text and re.search(r"\d,\d", reference.text) is not None
    return differs and result.low > _LOST_COMMA * reference.high


def _confidence(draft: Draft, unit: str | None, *, lost_comma: bool) -> float:
    """The OCR score of the worst line, lowered for what makes a misreading likelier."""
    doubts = (draft.known is None, 0.9), (unit is None, 0.8), (lost_comma, 0.5)
    return round(min(draft.scores) * math.prod(factor for doubt, factor in doubts if doubt), 3)
