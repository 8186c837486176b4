"""Which printed reference range applies to a result, and what it says about it."""

import re
from dataclasses import dataclass

from maxnutrition.contracts.medical_exam import Flag, ReferenceRange
from maxnutrition.exams.numbers import Span, scan
from maxnutrition.exams.text import fold

MARKER = re.compile(
    r"\b(?:valor(?:es)?\s*(?:de\s*)?(?:referencia(?:is|l)?|ref\.?|normais|normal|desejavel)|intervalos?\s*de\s*ref\w*\.?"
    r"|v\.?\s?r\.?(?=\s*[:\d<>]|\s*$)|v\.?\s?de\s?ref\w*\.?|referencias?\b|ref\.?(?=\s*:))\s*:?"
)
_POPULATION = re.compile(
    r"\b(?:hom[ea]m|homens|mulher|masculin|feminin|masc\b|fem\b|crianca|adult|gestant|gravid|idoso|anos|mes(?:es)?\b|dias\b"
    r"|semana|recem|menino|menina|lactente|adolescente|trimestre|fase\b|menopausa|fumante|puber)"
)
_DESIRED = re.compile(r"desejave|\bnorma|otim|ideal|adequad|(?<!in)suficien|nao[\s-]*diabetic|recomend")
_UNDESIRED = re.compile(
    r"diabet|limit|alto|alta\b|elevad|baix|risco|deficien|insuficien|intoleran|toxic|hiper|hipo|reagente|positiv|aument"
    r"|reduzid|moderad|grave|indetermin|terapeut|alter"
)
_FASTING = re.compile(r"\b(?:com|sem)\s*jejum")


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    span: Span


def is_range_label(text: str) -> bool:
    """Whether `text` names a row of a reference table rather than an analyte."""
    folded = fold(text)
    return any(pattern.search(folded) for pattern in (_POPULATION, _DESIRED, _UNDESIRED, _FASTING, MARKER))


def read_entries(text: str) -> list[Entry]:
    """The ranges of a reference text, each with the words before it."""
    entries, position = [], 0
    for span in scan(text):
        if span.kind == "range":
            entries.append(Entry(MARKER.sub(" ", fold(text[position : span.start])).strip(" :;.,\t"), span))
        position = span.end
    return entries


def applying_range(text: str) -> Span | None:
    """The one range that applies whoever the patient is; None where it depends on sex, age or risk.

    A table of categories ("Normal", "Pré-diabetes") counts by its one desirable row.
    """
    entries = read_entries(text)
    by_population = [entry for entry in entries if _POPULATION.search(entry.label)]
    desired = [entry for entry in entries if _DESIRED.search(entry.label) and not _is_undesired(entry.label)]
    if by_population:
        candidates = entries
    elif desired:
        candidates = desired
    else:
        candidates = [entry for entry in entries if not _is_undesired(entry.label)]
        candidates = candidates if len(candidates) == len(entries) else []
    bounds = {(e.span.low, e.span.high, e.span.low_open, e.span.high_open) for e in candidates}
    if len(bounds) != 1:
        return None
    span = candidates[0].span
    backwards = span.low is not None and span.high is not None and span.low > span.high
    return None if backwards else span


def _is_undesired(label: str) -> bool:
    return _UNDESIRED.search(re.sub(r"nao[\s-]*(?:diabetic|reagente)", "", label)) is not None


def read_reference(text: str) -> ReferenceRange | None:
    printed = re.sub(r"\s+", " ", text).strip(" :;.,\t")
    if not printed:
        return None
    span = applying_range(text)
    return ReferenceRange(low=span.low if span else None, high=span.high if span else None, text=printed[:500])


def judge(result: Span, unit: str | None, text: str) -> Flag:
    """The flag of `result` by the printed reference `text` alone."""
    if result.kind == "value" and result.low is not None:
        return judge_value(result.low, unit, text)
    applying = _comparable_range(unit, text)
    return _judge_comparison(result, applying) if applying else "unknown"


def judge_value(value: float, unit: str | None, text: str) -> Flag:
    applying = _comparable_range(unit, text)
    return _judge_number(value, applying) if applying else "unknown"


def _comparable_range(unit: str | None, text: str) -> Span | None:
    """Different units cannot be compared."""
    applying = applying_range(text)
    return None if applying is None or (unit and applying.unit and unit != applying.unit) else applying


def _judge_number(value: float, applying: Span) -> Flag:
    if applying.low is not None and (value < applying.low or (value == applying.low and applying.low_open)):
        return "low"
    if applying.high is not None and (value > applying.high or (value == applying.high and applying.high_open)):
        return "high"
    return "normal"


def _judge_comparison(result: Span, applying: Span) -> Flag:
    """For "< 10": low or normal only where every value below 10 is."""
    low, high = applying.low, applying.high
    if result.high is not None:
        if low is not None and result.high <= low:
            return "low"
        return "normal" if not low and high is not None and result.high <= high else "unknown"
    if result.low is not None:
        if high is not None and result.low >= high:
            return "high"
        return "normal" if high is None and low is not None and result.low >= low else "unknown"
    return "unknown"
