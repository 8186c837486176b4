"""Guess what a misspelt name was meant to be: by shared letter groups, then by edit distance."""

from __future__ import annotations

from collections.abc import Iterable

_GROUP_SIZES = (3, 2)
_LEAST_LIKENESS = 0.33


def closest(wanted: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `wanted`, or None where nothing is like it. Case does not count."""
    known = list(candidates)
    for size in _GROUP_SIZES:
        groups = _groups(wanted, size)
        rivals = [name for name in known if groups & _groups(name, size)]
        if rivals:
            best = max(rivals, key=lambda name: _likeness(wanted, name))
            return best if _likeness(wanted, best) >= _LEAST_LIKENESS else None
    return None


def _groups(name: str, size: int) -> set[str]:
    text = "-" + "".join(sign for sign in name.lower() if sign.isalnum() or sign in ", ") + "-"
    return {text[start : start + size] for start in range(len(text) - size + 1)}


def _likeness(one: str, other: str) -> float:
    longest = max(len(one), len(other))
    return 1 - _distance(one.lower(), other.lower()) / longest if longest else 1.0


def _distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]
