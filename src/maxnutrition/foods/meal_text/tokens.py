"""A text in pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from maxnutrition.exams.text import fold
from maxnutrition.foods.meal_text.vocabulary import canonical

Kind: TypeAlias = Literal["word", "number", "break", "join", "mark"]

_PIECE = re.compile(
    r"(?P<fraction>\d{1,3}\s?/\s?\d{1,3}(?!\d))"
    r"|(?P<number>\d{1,9}(?:[.,]\d{1,6})?)"
    r"|(?P<sign>[½¼¾⅓⅔])"
    r"|(?P<word>[a-z]+)"
    r"|(?P<join>[+&])"
    r"|(?P<break>[,;\n!?]|\.(?=\s|$))"
    r"|(?P<mark>[^\w\s])"
)
_SIGNS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
_ABBREVIATIONS = frozenset(
    {"col", "colh", "xic", "c", "un", "und", "unid", "pct", "fat", "g", "gr", "ml", "kg", "pq", "gde"}
)
_THOUSANDS = re.compile(r"\d{1,3}\.\d{3}$")


@dataclass(frozen=True, slots=True)
class Token:
    """`word` is the stem of a word, `value` the amount of a number; both come from `text[start:end]`."""

    kind: Kind
    start: int
    end: int
    word: str = ""
    value: float = 0.0
    corrected: bool = False

    def corrected_to(self, word: str) -> Token:
        return replace(self, word=word, corrected=True)


def tokenise(text: str) -> list[Token]:
    folded = _fold_signs_apart(text)
    tokens: list[Token] = []
    for piece in _PIECE.finditer(folded):
        tokens.append(_token(piece, tokens))
    return tokens


def _fold_signs_apart(text: str) -> str:
    return "".join(char if char in _SIGNS else fold(char) for char in text.replace("\r", "\n"))


def _token(piece: re.Match[str], before: list[Token]) -> Token:
    start, end = piece.span()
    match piece.lastgroup:
        case "word":
            return Token("word", start, end, word=canonical(piece[0]))
        case "number" | "fraction" | "sign":
            return Token("number", start, end, value=_value(piece))
        case "join":
            return Token("join", start, end)
        case "break" if not (piece[0] == "." and before and before[-1].word in _ABBREVIATIONS):
            return Token("break", start, end, word=piece[0])
        case _:
            return Token("mark", start, end, word=piece[0])


def _value(piece: re.Match[str]) -> float:
    written = piece[0]
    if written in _SIGNS:
        return _SIGNS[written]
    if "/" in written:
        above, below = (float(part) for part in written.split("/"))
        return above / below if below else 0.0
    if _THOUSANDS.match(written):
        return float(written.replace(".", ""))
    return float(written.replace(",", "."))
