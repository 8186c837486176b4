"""Typos put right, within limits: a wrong word is worse than none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from rapidfuzz.distance import OSA

from maxnutrition.foods.words import sound, stems_of

_SHORTEST = 4
_LONGEST = 30


@dataclass(frozen=True, slots=True)
class Correction:
    word: str
    edits: int


class Speller:
    """Knows a vocabulary of stems, and everyday words that are none of it and must stay what they are."""

    def __init__(self, vocabulary: Iterable[str], everyday: Iterable[str] = ()) -> None:
        self._words = sorted(set(vocabulary))
        self._known = frozenset(self._words)
        self._everyday = frozenset(everyday)
        self._by_sound: defaultdict[str, list[str]] = defaultdict(list)
        for word in self._words:
            if len(word) >= _SHORTEST:
                self._by_sound[sound(word)].append(word)

    def correct(self, word: str) -> Correction | None:
        """The word of the vocabulary that is meant by a folded stem; None for none, or where it could be several."""
        if word in self._known:
            return Correction(word, 0)
        if word in self._everyday or not _SHORTEST <= len(word) <= _LONGEST:
            return None
        alike = self._by_sound.get(sound(word), [])
        if len(alike) == 1:
            return Correction(alike[0], 1)
        return self._nearest(word)

    def _nearest(self, word: str) -> Correction | None:
        limit = allowed_edits(word)
        if limit == 0:
            return None
        near: defaultdict[int, list[str]] = defaultdict(list)
        for known in self._words:
            if known[0] == word[0] and abs(len(known) - len(word)) <= limit and len(known) >= _SHORTEST:
                edits = OSA.distance(word, known, score_cutoff=limit)
                if edits <= limit:
                    near[edits].append(known)
        nearest = near[min(near)] if near else []
        return Correction(nearest[0], min(near)) if len(nearest) == 1 else None


def allowed_edits(word: str) -> int:
    """None in short words, where one letter makes another word."""
    if len(word) < 5:
        return 0
    return 1 if len(word) < 8 else 2


@cache
def everyday_words() -> frozenset[str]:
    """Stems of words that look like foods and are none."""
    text = (resources.files("maxnutrition.foods.data") / "everyday_words.txt").read_text(encoding="utf-8")
    return frozenset(stem for line in text.splitlines() if not line.startswith("#") for stem in stems_of(line))
