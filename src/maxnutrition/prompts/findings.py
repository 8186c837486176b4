"""Trends in plain Portuguese: what users read without a model, and all that a model is told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maxnutrition.contracts.health import Direction, Series, Target, Trend
from maxnutrition.prompts.trends import MEASURES, Measure, written

_DIRECTIONS: dict[Direction, str] = {
    "rising": "Tendência de alta",
    "falling": "Tendência de queda",
    "steady": "Sem tendência clara: estável",
    "unknown": "Medidas insuficientes para uma tendência",
}
_NUMBER = re.compile(r"\d+(?:[.,/]\d+)*")
_SMALL = 12
"""Counting words aside, numbers up to this name nothing that was measured ("2 semanas", "5 porções")."""


def describe(trends: Sequence[Trend], series: Sequence[Series]) -> str:
    """One line per trend."""
    targets = {one.kind: one.target for one in series}
    return "\n".join(_line(trend, targets[trend.kind]) for trend in trends)


def invented_numbers(text: str, known: str) -> list[str]:
    """Numbers in `text` that are not in `known`, so that no model adds a measurement or a limit of its own."""
    allowed = set(map(_canonical, _NUMBER.findall(known))) | {"188", "192"}
    found = dict.fromkeys(_NUMBER.findall(text))
    return [number for number in found if _canonical(number) not in allowed and not _is_small(number)]


def _line(trend: Trend, target: Target | None) -> str:
    measure = MEASURES[trend.kind]
    if trend.count == 1:
        return f"{trend.name}: {written(trend.last, measure)} em {trend.last_on:%d/%m/%Y}.{_aim(trend, target)}"
    sign = "+" if trend.change > 0 else "−" if trend.change < 0 else ""
    slope = ""
    if trend.direction in {"rising", "falling"} and trend.slope_per_week is not None:
        finer = Measure(measure.name, measure.unit, measure.decimals + 1)
        slope = f" (cerca de {written(abs(trend.slope_per_week), finer)} por semana)"
    return (
        f"{trend.name}: {trend.count} medidas de {trend.first_on:%d/%m/%Y} a {trend.last_on:%d/%m/%Y}. "
        f"Última: {written(trend.last, measure)} ({sign}{written(abs(trend.change), measure)} desde a primeira). "
        f"Mínimo {written(trend.minimum, measure)}, máximo {written(trend.maximum, measure)}, "
        f"média {written(trend.mean, measure)}. {_DIRECTIONS[trend.direction]}{slope}.{_aim(trend, target)}"
    )


def _aim(trend: Trend, target: Target | None) -> str:
    if target is None or trend.outside_target is None:
        return ""
    measure = MEASURES[trend.kind]
    match target.low, target.high:
        case float() as low, float() as high:
            bounds = f"entre {written(low, measure)} e {written(high, measure)}"
        case None, float() as high:
            bounds = f"até {written(high, measure)}"
        case float() as low, _:
            bounds = f"a partir de {written(low, measure)}"
        case _:
            return ""
    whose = "Sua meta" if target.source == "user" else "Referência impressa no laudo"
    return f" {whose}: {bounds}; fora dela: {trend.outside_target} de {trend.count}."


def _canonical(number: str) -> str:
    """The same for 1.234 and 1234, for 81,10 and 81,1."""
    whole, comma, decimals = re.sub(r"\.(?=\d{3}(?:\D|$))", "", number).replace(".", ",").partition(",")
    return f"{whole}{comma}{decimals}".rstrip("0").rstrip(",") if comma else whole


def _is_small(number: str) -> bool:
    return number.isdigit() and int(number) <= _SMALL
