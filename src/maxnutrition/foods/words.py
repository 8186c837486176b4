"""Words of Portuguese and English made comparable: accents, plurals, and how people write what they hear."""

from __future__ import annotations

import re

from maxnutrition.exams.text import fold

_WORD = re.compile(r"[a-z]+|\d+")
_PLURALS = (
    ("oes", "ao"),
    ("aes", "ao"),
    ("aos", "ao"),
    ("ais", "al"),
    ("eis", "el"),
    ("ois", "ol"),
    ("uis", "ul"),
    ("res", "r"),
    ("zes", "z"),
    ("ns", "m"),
    ("s", ""),
)
_NO_PLURALS = frozenset({"mais", "pires", "depois", "tres", "dois", "seis", "onibus", "mes", "gas", "chips", "arroz"})
_SOUNDS = (
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"ch|sh"), "x"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"lh"), "li"),
    (re.compile(r"nh"), "ni"),
    (re.compile(r"h"), ""),
    (re.compile(r"y"), "i"),
    (re.compile(r"w"), "u"),
    (re.compile(r"qu(?=[ei])|c(?![ei])|q"), "k"),
    (re.compile(r"sc(?=[ei])|c(?=[ei])|z"), "s"),
    (re.compile(r"ou"), "o"),
    (re.compile(r"(?:aum|aun)$"), "ao"),
    (re.compile(r"u$"), "o"),
    (re.compile(r"i$"), "e"),
    (re.compile(r"n$"), "m"),
    (re.compile(r"(.)\1+"), r"\1"),
)


def words_of(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def stem(word: str) -> str:
    """The singular of a folded word, near enough to compare: "pães" and "pão" both become "pao"."""
    if len(word) < 4 or word in _NO_PLURALS or word.endswith("ss"):
        return word
    for ending, singular in _PLURALS:
        if word.endswith(ending) and len(word) - len(ending) >= 1:
            return word[: -len(ending)] + singular
    return word


def stems_of(text: str) -> tuple[str, ...]:
    return tuple(map(stem, words_of(text)))


def sound(word: str) -> str:
    """How a folded word sounds in Brazil, near enough: "aros" for both "arroz" and "arros"."""
    for written, heard in _SOUNDS:
        word = written.sub(heard, word)
    return word
