"""Several pages become one list of results: what is printed twice is one, what contradicts itself stays, both times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maxnutrition.contracts.medical_exam import Analyte
from maxnutrition.exams.identity import identity, says_the_same


@dataclass(frozen=True, slots=True)
class Merged:
    """`conflicts` holds each analyte that has several results, with all of them."""

    analytes: list[Analyte]
    conflicts: list[list[Analyte]]


def merge(pages: Iterable[Sequence[Analyte]]) -> Merged:
    """In the order of pages. Of two equal results the one with a reference is kept, or else the more certain."""
    found: dict[str, list[Analyte]] = {}
    for page in pages:
        for analyte in page:
            _add(found.setdefault(identity(analyte), []), analyte)
    return Merged(
        [analyte for results in found.values() for analyte in results],
        [results for results in found.values() if len(results) > 1],
    )


def _add(results: list[Analyte], analyte: Analyte) -> None:
    for position, other in enumerate(results):
        if says_the_same(other, analyte):
            results[position] = max((other, analyte), key=_worth)
            return
    results.append(analyte)


def _worth(analyte: Analyte) -> tuple[bool, bool, float]:
    return analyte.reference is not None, analyte.unit is not None, analyte.confidence
