"""Numbers as Markdown tables: a row for each system, medians over rounds, in brackets from the least to the most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis_bench.results import Results
from analysis_bench.statistics import Spread
from analysis_bench.systems import SYSTEMS, System

NOTHING = "—"
TEXT = "---"


@dataclass(frozen=True, slots=True)
class Column:
    """What one column shows; `digits` after the point."""

    title: str
    value: str
    case: str = ""
    digits: int = 1


def table(results: Results, scenario: str, columns: Sequence[Column], systems: Sequence[System] = SYSTEMS) -> str:
    """Systems of which nothing is known in this scenario are left out."""
    rows = []
    for system in systems:
        spreads = [results.spread(scenario, system.name, column.value, column.case) for column in columns]
        if any(spreads):
            cells = [cell(found, column.digits) for found, column in zip(spreads, columns, strict=True)]
            rows.append([system.title, *cells])
    return markdown(["", *(column.title for column in columns)], rows)


def cell(found: Spread | None, digits: int) -> str:
    if found is None:
        return NOTHING
    shown = f"{found.median:,.{digits}f}"
    return shown if found.rounds == 1 else f"{shown} ({found.low:,.{digits}f}–{found.high:,.{digits}f})"


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]], alignment: str = "---:") -> str:
    """`alignment` is that of all columns but the first, which are numbers if nothing is said."""
    lines = [titles, ["---", *[alignment] * (len(titles) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def failures(results: Results, scenario: str) -> list[str]:
    """Why numbers are not there: a line for each reason, with the systems that it concerns."""
    titles = {system.name: system.title for system in SYSTEMS}
    concerned: dict[str, dict[str, None]] = {}
    for failure in results.failures:
        if failure.scenario == scenario:
            concerned.setdefault(failure.reason, {})[titles.get(failure.system, "all")] = None
    return [f"{', '.join(names)}: {reason}" for reason, names in concerned.items()]
