"""The names of foods as a tree of words, for finding the longest name that begins somewhere in a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from maxnutrition.foods.meal_text.measures import MEASURE_WORDS
from maxnutrition.foods.meal_text.numbers import NUMBER_WORDS
from maxnutrition.foods.meal_text.tokens import Token
from maxnutrition.foods.meal_text.vocabulary import (
    CONNECTORS,
    FILLERS,
    JOINERS,
    LEVELS,
    LITTLE,
    MEAL_PHRASES,
    MUCH,
    NEGATIONS,
    PREPARATIONS,
    SIZES,
    TURNS,
    WITHOUT,
    canonical,
)
from maxnutrition.foods.model import Food
from maxnutrition.foods.spelling import Speller, everyday_words
from maxnutrition.foods.table import FoodTable
from maxnutrition.foods.words import words_of

Words = tuple[str, ...]

_SPOKEN_WITHOUT_CONNECTOR = frozenset(
    {"suco", "bolo", "vitamina", "salada", "sopa", "doce", "cha", "peito", "file", "coxa"}
)


@dataclass(frozen=True, slots=True)
class Named:
    food: Food
    vague: bool
    words: Words


@dataclass(frozen=True, slots=True)
class NameFound:
    named: Named
    end: int
    """Index of the token behind it."""


@dataclass(slots=True)
class _Node:
    named: Named | None = None
    branches: dict[str, _Node] = field(default_factory=dict)


class Lexicon:
    def __init__(self, foods: FoodTable) -> None:
        self._root = _Node()
        names = {named.words: named for named in reversed(list(_all_names(foods)))}
        for words, named in names.items():
            self._insert(words, named)
            shorter = tuple(word for word in words if word not in CONNECTORS)
            if shorter != words and shorter not in names and not _reads_as_two(shorter, names):
                self._insert(shorter, named)
        self._names = names
        self._own_words = frozenset(word for words in names for word in words)
        self._speller = Speller(self._own_words | _OTHER_WORDS, everyday_words() - self._own_words)

    def find(self, tokens: Sequence[Token], at: int) -> NameFound | None:
        """The longest name that begins at this token."""
        node, best = self._root, None
        for index in range(at, len(tokens)):
            token = tokens[index]
            if token.kind == "mark" and token.word in "-/" and index > at:
                continue
            word = "com" if token.word == "c" and index > at else token.word
            branch = node.branches.get(word) if token.kind == "word" else None
            if branch is None:
                break
            node = branch
            if node.named is not None:
                best = NameFound(node.named, index + 1)
        return best

    def prepared(self, named: Named, preparation: str) -> Named | None:
        """The same food done otherwise: "frango" and "assado" are "frango assado"."""
        without = tuple(word for word in named.words if word not in PREPARATIONS.values())
        for base in (named.words, without, named.words[-1:], without[:1]):
            found = self._names.get((*base, preparation))
            if base and found is not None:
                return found
        return None

    def spell(self, tokens: Sequence[Token]) -> list[Token]:
        """The same tokens, with typos put right where only one word can be meant."""
        known: dict[str, str | None] = {}
        mended: list[Token] = []
        for token in tokens:
            if token.kind == "word" and token.word not in known:
                correction = self._speller.correct(token.word)
                known[token.word] = None if correction is None or correction.edits == 0 else correction.word
            meant = known.get(token.word) if token.kind == "word" else None
            mended.append(token if meant is None else token.corrected_to(canonical(meant)))
        return mended

    def _insert(self, words: Words, named: Named) -> None:
        node = self._root
        for word in words:
            node = node.branches.setdefault(word, _Node())
        node.named = node.named or named


def _reads_as_two(words: Words, names: Iterable[Words]) -> bool:
    """Whether a name without its connector is two foods ("pão queijo"); "suco laranja" is not."""
    known = set(names)
    if words[0] in _SPOKEN_WITHOUT_CONNECTOR:
        return False
    return any(words[:cut] in known and words[cut:] in known for cut in range(1, len(words)))


def _all_names(foods: FoodTable) -> Iterator[Named]:
    for food in foods:
        for name in (food.name, *food.synonyms):
            yield Named(food, False, _words(name))
        for name in food.vague:
            yield Named(food, True, _words(name))


def _words(name: str) -> Words:
    """As the tokens of a text would be."""
    return tuple(map(canonical, words_of(name)))


_OTHER_WORDS = frozenset().union(
    MEASURE_WORDS,
    NUMBER_WORDS,
    CONNECTORS,
    JOINERS,
    NEGATIONS,
    TURNS,
    WITHOUT,
    FILLERS,
    LITTLE,
    MUCH,
    SIZES,
    LEVELS,
    PREPARATIONS,
    PREPARATIONS.values(),
    (word for phrase in MEAL_PHRASES for word in phrase),
)
