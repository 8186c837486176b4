"""Numbers and ranges in running text, as Brazilian laboratories print them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from maxnutrition.exams.text import fold
from maxnutrition.exams.units import read_unit

_NUMBER = r"(?:\d{1,3}(?:\.\d{3}){1,3}(?:,\d{1,6})?|\d{1,9}(?:[.,]\d{1,6})?)"
_ALONE = r"(?<![a-z\d/^])(?<!\d[.,:–—-])"
_DONE = r"(?!\d|[.,/:]\d|\s?[\^³⁶]|\s?-?\s?(?:oh\b|(?:di)?hidrox|alfa|beta|ceto))"
_AT_MOST = (
    r"(?:(?:igual\s*ou\s*)?(?:inferior|menor)(?:es)?(?:\s*ou\s*igua(?:l|is))?\s*(?:que|a|do\s*que)?|abaixo\s*de|ate|<\s?=?|≤|"
    r"maximo(?:\s*de)?)"
)
_AT_LEAST = (
    r"(?:(?:igual\s*ou\s*)?(?:superior|maior)(?:es)?(?:\s*ou\s*igua(?:l|is))?\s*(?:que|a|do\s*que)?|acima\s*de|>\s?=?|≥|"
    r"a\s*partir\s*de|minimo(?:\s*de)?)"
)
_SPAN = re.compile(
    rf"(?:{_ALONE}(?P<low>{_NUMBER})\s*(?:a|ate|e|-|–|—|~)\s*(?P<high>{_NUMBER}){_DONE})"
    rf"|(?:(?<![a-z])(?P<most>{_AT_MOST})\s*:?\s*(?P<upper>{_NUMBER}){_DONE})"
    rf"|(?:(?<![a-z])(?P<least>{_AT_LEAST})\s*:?\s*(?P<lower>{_NUMBER}){_DONE})"
    rf"|(?:{_ALONE}(?P<alone>{_NUMBER}){_DONE})"
)
_CLOSED = re.compile(r"igua|[=≤≥]|^ate|^a\s*partir|^m[ai][xn]imo")
_AGE = re.compile(r"\s*(?:anos?|meses|mes|dias?|semanas?|(?:[aªo]\s?)?horas?|h)\b")
_PRINTED_MARK = re.compile(r"\s*(?:\*+|[↑↓]|\([hlab]\)|[hl](?=\s))")

Kind = Literal["value", "range"]


@dataclass(frozen=True, slots=True)
class Span:
    """A number or a range at [start, end) of the text, `end` after its unit. Open bounds are not part of the range."""

    kind: Kind
    start: int
    end: int
    text: str
    low: float | None
    high: float | None
    low_open: bool = False
    high_open: bool = False
    unit: str | None = None

    @property
    def is_comparison(self) -> bool:
        return self.text[0] in "<>≤≥"


def parse_number(text: str) -> float:
    """`text` as matched by the grammar above: "4.500" is 4500, "4,5" and "4.5" are 4.5, "0.123" is 0.123."""
    if "," in text:
        return float(text.replace(".", "").replace(",", "."))
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+", text):
        return float(text.replace(".", ""))
    return float(text) if text.count(".") < 2 else float(text.replace(".", ""))


def scan(text: str) -> list[Span]:
    """Every number and range of `text` in order, without dates, times, ages, and the digits of names like T4."""
    return list(_spans(text, fold(text)))


def _spans(text: str, folded: str) -> Iterator[Span]:
    position = 0
    while found := _SPAN.search(folded, position):
        position = found.end()
        if age := _AGE.match(folded, position):
            position = age.end()
            continue
        start_of_unit = position
        if mark := _PRINTED_MARK.match(folded, position):
            start_of_unit = mark.end()
        if unit := read_unit(text[start_of_unit:]):
            position = start_of_unit + unit[1]
        yield _span(found, text, position, unit[0] if unit else None)


def _span(found: re.Match[str], text: str, end: int, unit: str | None) -> Span:
    printed = text[found.start() : found.end()]
    if found["alone"]:
        value = parse_number(found["alone"])
        return Span("value", found.start(), end, printed, value, value, unit=unit)
    if found["low"]:
        low, high = parse_number(found["low"]), parse_number(found["high"])
        return Span("range", found.start(), end, printed, low, high, unit=unit)
    is_open = _CLOSED.search(found["most"] or found["least"]) is None
    if found["upper"]:
        high = parse_number(found["upper"])
        return Span("range", found.start(), end, printed, None, high, high_open=is_open, unit=unit)
    low = parse_number(found["lower"])
    return Span("range", found.start(), end, printed, low, None, low_open=is_open, unit=unit)
