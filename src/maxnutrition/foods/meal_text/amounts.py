"""A number, a unit and a size in front of a food or behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maxnutrition.foods.meal_text.items import Amount
from maxnutrition.foods.meal_text.lexicon import Lexicon
from maxnutrition.foods.meal_text.measures import Unit, UnitFound, read_unit
from maxnutrition.foods.meal_text.numbers import is_and_a_half, read_number
from maxnutrition.foods.meal_text.tokens import Token
from maxnutrition.foods.meal_text.vocabulary import CONNECTORS, LEVELS, LITTLE, MUCH, SIZES
from maxnutrition.foods.model import Food

_LEADING = frozenset({"um", "uma", "bem"})
_ADVERBS = frozenset({"bem", "meio"})


@dataclass(frozen=True, slots=True)
class AmountFound:
    amount: Amount
    end: int
    leads: bool
    """Whether a "de" behind it says that the food follows. `end` is behind that word."""


class AmountReader:
    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def read(self, tokens: Sequence[Token], at: int, last_unit: Unit | None, before: Food | None) -> AmountFound | None:
        """`last_unit` is what "1 de maionese" repeats; `before` a food whose own measures may follow it."""
        vague = _read_vague(tokens, at)
        if vague is not None:
            return _behind(tokens, vague[0], vague[1])
        number = read_number(tokens, at)
        end = at if number is None else _past_times(tokens, number.end)
        size, end = _read_sizes(tokens, end, Amount(1.0)) if number is not None else (Amount(1.0), end)
        unit, unit_end = self._read_unit(tokens, end, before)
        if number is None and (unit is None or unit.grams is not None):
            return None
        amount = replace(size, value=1.0 if number is None else number.value, unit=unit)
        if number is not None and unit is not None and is_and_a_half(tokens, unit_end):
            amount, unit_end = replace(amount, value=amount.value + 0.5), unit_end + 2
        amount, end = _read_sizes(tokens, end if unit is None else unit_end, amount)
        found = _behind(tokens, amount, end)
        if unit is None and found.leads and last_unit is not None:
            return replace(found, amount=replace(amount, unit=last_unit))
        return found

    def _read_unit(self, tokens: Sequence[Token], at: int, before: Food | None) -> tuple[Unit | None, int]:
        own = tokens[at].word if at < len(tokens) and tokens[at].kind == "word" else ""
        if before is not None and own in before.measures:
            return Unit("household", own), at + 1
        name = self._lexicon.find(tokens, at)
        for found in read_unit(tokens, at):
            if self._is_food_after_all(tokens, found):
                continue
            if (
                name is None
                or name.end < found.end
                or (name.end == found.end and self._leads_to_more(tokens, name.end))
            ):
                return found.unit, found.end
        return None, at

    def _leads_to_more(self, tokens: Sequence[Token], at: int) -> bool:
        """Behind "2 bifes": "de peixe" makes it a measure, "de 90 g" leaves it the food."""
        return _leads_on(tokens, at) and read_number(tokens, _past_brackets(tokens, at) + 1) is None

    def _is_food_after_all(self, tokens: Sequence[Token], found: UnitFound) -> bool:
        """In "xícara de chá de hortelã" and "xícara de café", what follows "xícara" is the drink."""
        if found.words == 1 or found.unit.name not in {"xícara", "xícara pequena"}:
            return False
        name = self._lexicon.find(tokens, found.end - 1)
        if name is None:
            return False
        return name.end > found.end or not _leads_on(tokens, found.end)


def _read_vague(tokens: Sequence[Token], at: int) -> tuple[Amount, int] | None:
    """ "um pouco de arroz", "muito arroz"."""
    skip = at
    while skip < len(tokens) and tokens[skip].word in _LEADING and skip - at < 2:
        skip += 1
    word = tokens[skip].word if skip < len(tokens) else ""
    if word in LITTLE:
        return Amount(0.5, vague=True), skip + 1
    if word in MUCH:
        return Amount(1.5, vague=True), skip + 1
    return None


def _past_times(tokens: Sequence[Token], at: int) -> int:
    """ "2x pão"; but in "2 x-salada" the x is part of the name, which the caller tries first."""
    glued = at < len(tokens) and tokens[at].word == "x" and tokens[at].start == tokens[at - 1].end
    return at + 1 if glued else at


def _read_sizes(tokens: Sequence[Token], at: int, amount: Amount) -> tuple[Amount, int]:
    while at < len(tokens):
        word = tokens[at].word
        if tokens[at].kind == "mark" and word in ")(":
            if at + 1 >= len(tokens) or (tokens[at + 1].word not in SIZES and tokens[at + 1].word not in LEVELS):
                break
        elif word in SIZES:
            amount = replace(amount, size=SIZES[word])
        elif word in LEVELS:
            amount = replace(amount, level=LEVELS[word])
        elif not (word in _ADVERBS and at + 1 < len(tokens) and tokens[at + 1].word in {*SIZES, *LEVELS}):
            break
        at += 1
    return amount, at


def _behind(tokens: Sequence[Token], amount: Amount, end: int) -> AmountFound:
    leads = _leads_on(tokens, end)
    return AmountFound(amount, _past_brackets(tokens, end) + 1 if leads else end, leads)


def _leads_on(tokens: Sequence[Token], at: int) -> bool:
    follows = _past_brackets(tokens, at)
    return follows < len(tokens) and tokens[follows].kind == "word" and tokens[follows].word in CONNECTORS


def _past_brackets(tokens: Sequence[Token], at: int) -> int:
    while at < len(tokens) and tokens[at].kind == "mark" and tokens[at].word in "()":
        at += 1
    return at
