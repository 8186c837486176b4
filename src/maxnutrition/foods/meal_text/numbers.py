"""Numbers as they are written and said: "2", "1,5", "1 ½", "duas e meia", "2 a 3", "meia dúzia"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maxnutrition.foods.meal_text.tokens import Token
from maxnutrition.foods.words import stem

_WORDS = {
    stem(word): float(value)
    for value, words in {
        1: "um uma one hum",
        2: "dois duas two",
        3: "tres three",
        4: "quatro four",
        5: "cinco five",
        6: "seis six",
        7: "sete seven",
        8: "oito eight",
        9: "nove nine",
        10: "dez ten",
        12: "doze twelve",
        15: "quinze",
        20: "vinte",
        30: "trinta",
        40: "quarenta",
        50: "cinquenta",
        80: "oitenta",
        100: "cem hundred",
        150: "centecinquenta",
        200: "duzentos duzentas",
        300: "trezentos trezentas",
        500: "quinhentos quinhentas",
    }.items()
    for word in words.split()
}
_HALVES = frozenset({"meia", "meio", "half"})
_GROUPS = {"duzia": 12.0, "dezena": 10.0, "par": 2.0}
_SOME = frozenset({stem("alguns"), stem("algumas"), stem("several")})
_RANGE = frozenset({"a", "ou", "ate", "to", "or"})

NUMBER_WORDS = frozenset({*_WORDS, *_HALVES, *_GROUPS, *_SOME, "metade"})


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    end: int
    """Index of the token behind it."""


def read_number(tokens: Sequence[Token], at: int) -> Number | None:
    first = _simple(tokens, at)
    if first is None:
        return None
    second = _second_of_range(tokens, first)
    return second or first


def _second_of_range(tokens: Sequence[Token], first: Number) -> Number | None:
    """The mean of "2 a 3"; a range falls in no other direction, so "1 ou meia" is none."""
    if not _is_range_sign(tokens, first.end):
        return None
    second = _simple(tokens, first.end + 1)
    if second is None or second.value <= first.value or tokens[first.end + 1].kind != tokens[first.end - 1].kind:
        return None
    return Number((first.value + second.value) / 2, second.end)


def _is_range_sign(tokens: Sequence[Token], at: int) -> bool:
    if at >= len(tokens):
        return False
    token = tokens[at]
    return token.word in _RANGE if token.kind == "word" else token.kind == "mark" and token.word in "-–—~"


def _simple(tokens: Sequence[Token], at: int) -> Number | None:
    at += _is_about(tokens, at)
    value = _value_at(tokens, at)
    if value is None:
        return _metade(tokens, at)
    end = at + 1
    group = _GROUPS.get(_word_at(tokens, end))
    if group is not None:
        return Number(value * group, end + 1)
    return _with_fraction(tokens, value, end)


def _is_about(tokens: Sequence[Token], at: int) -> bool:
    """ "umas 8 colheres"."""
    return _WORDS.get(_word_at(tokens, at)) == 1 and at + 1 < len(tokens) and tokens[at + 1].kind == "number"


def _with_fraction(tokens: Sequence[Token], whole: float, end: int) -> Number:
    """ "1 1/2", "1 e meia", "1 e 1/2"."""
    at = end + 1 if _word_at(tokens, end) == "e" else end
    part = _value_at(tokens, at)
    said = _word_at(tokens, at) in _HALVES and at > end
    written = at < len(tokens) and tokens[at].kind == "number"
    if part is not None and 0 < part < 1 <= whole and whole == int(whole) and (said or written):
        return Number(whole + part, at + 1)
    return Number(whole, end)


def _metade(tokens: Sequence[Token], at: int) -> Number | None:
    """ "metade de uma banana", "metade da banana"."""
    if _word_at(tokens, at) != "metade":
        return None
    end = at + 1
    if _word_at(tokens, end) in {"de", "do", "da"}:
        end += 1
        end += _WORDS.get(_word_at(tokens, end)) == 1
    return Number(0.5, end)


def is_and_a_half(tokens: Sequence[Token], at: int) -> bool:
    """ "uma fatia e meia"."""
    return _word_at(tokens, at) == "e" and _word_at(tokens, at + 1) in _HALVES


def _value_at(tokens: Sequence[Token], at: int) -> float | None:
    if at >= len(tokens):
        return None
    token = tokens[at]
    if token.kind == "number":
        return token.value
    if token.word in _HALVES:
        return 0.5
    return 2.0 if token.word in _SOME else _WORDS.get(token.word)


def _word_at(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].word if at < len(tokens) and tokens[at].kind == "word" else ""
