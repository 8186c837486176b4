"""Foods by what somebody typed: accents, plurals, typos, Portuguese or English."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maxnutrition.foods.model import Food
from maxnutrition.foods.spelling import Speller, everyday_words
from maxnutrition.foods.table import FoodTable
from maxnutrition.foods.words import stems_of

CONNECTORS = frozenset({"de", "do", "da", "o", "a", "ao", "em", "na", "no", "of", "the"})
MAX_QUERY = 200

_PER_EDIT = 0.12
_PER_MISSING_WORD = 0.12
_VAGUE = 0.05


@dataclass(frozen=True, slots=True)
class Match:
    """`score` is 1 for a name as it is written in the table, up to accents and plurals, and less for anything else."""

    food: Food
    score: float
    matched: str


class FoodSearch:
    def __init__(self, foods: FoodTable) -> None:
        self._entries = [(_key(name), name, food, vague) for food in foods for name, vague in _names_of(food)]
        everyday = everyday_words()
        self._speller = Speller((word for key, *_ in self._entries for word in key), everyday)

    def find(self, text: str, limit: int = 10) -> list[Match]:
        """Foods that have every word of the text, best first; ties in the order of the table. Nothing is no error."""
        query: set[str] = set()
        edits = 0
        for word in _key(text[:MAX_QUERY]):
            correction = self._speller.correct(word)
            if correction is None:
                return []
            query.add(correction.word)
            edits += correction.edits
        return self._rank(query, edits)[:limit] if query else []

    def best(self, text: str) -> Match | None:
        """The one food that is meant; None where nothing fits or the text is only a part of several names."""
        found = self.find(text, limit=2)
        if not found:
            return None
        clear = len(found) == 1 or found[0].score > found[1].score
        return found[0] if clear and found[0].score >= 0.7 else None

    def _rank(self, query: set[str], edits: int) -> list[Match]:
        best: dict[str, Match] = {}
        for key, name, food, vague in self._entries:
            if not query <= set(key):
                continue
            missing = len(set(key) - query)
            score = max(0.05, 1 - _PER_EDIT * edits - _PER_MISSING_WORD * missing - _VAGUE * vague)
            if food.id not in best or best[food.id].score < score:
                best[food.id] = Match(food, round(score, 3), name)
        return sorted(best.values(), key=lambda match: -match.score)


def _names_of(food: Food) -> Iterable[tuple[str, bool]]:
    yield food.name, False
    yield from ((name, False) for name in food.synonyms)
    yield from ((name, True) for name in food.vague)


def _key(text: str) -> tuple[str, ...]:
    return tuple(word for word in stems_of(text) if word not in CONNECTORS)
