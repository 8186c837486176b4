"""Reads a meal text from left to right: amounts wait for their food, foods for an amount behind them.

Every word ends in an item, in a leftover, or is a word that says nothing about food.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from maxnutrition.foods.meal_text.amounts import AmountFound, AmountReader
from maxnutrition.foods.meal_text.drafts import Draft, Notepad
from maxnutrition.foods.meal_text.items import ParsedMeal
from maxnutrition.foods.meal_text.lexicon import Lexicon, NameFound
from maxnutrition.foods.meal_text.numbers import read_number
from maxnutrition.foods.meal_text.tokens import Token, tokenise
from maxnutrition.foods.meal_text.vocabulary import (
    CONNECTORS,
    CONTAINERS,
    FILLERS,
    JOINERS,
    LEVELS,
    MEAL_PHRASES,
    NEGATED_VERBS,
    NEGATIONS,
    PREPARATIONS,
    SIZES,
    TURNS,
    WITHOUT,
)
from maxnutrition.foods.table import FoodTable

MAX_TEXT = 2000
_PREPARED = frozenset(PREPARATIONS.values())
_KEEPS_ITS_KIND = frozenset({"dishes", "eggs"})
"""A pizza "de" something unknown is still much like a pizza; a juice or a cake is not."""


class MealTextParser:
    """Built once for a table; takes no time worth mentioning per text."""

    def __init__(self, foods: FoodTable) -> None:
        self._lexicon = Lexicon(foods)
        self._amounts = AmountReader(self._lexicon)

    def parse(self, text: str) -> ParsedMeal:
        text = text[:MAX_TEXT]
        reading = _Reading(self._lexicon, self._amounts, text)
        return reading.run()


class _Reading:
    def __init__(self, lexicon: Lexicon, amounts: AmountReader, text: str) -> None:
        self._lexicon = lexicon
        self._amounts = amounts
        self._tokens: Sequence[Token] = lexicon.spell(tokenise(text))
        self._pad = Notepad(text, self._tokens)

    def run(self) -> ParsedMeal:
        at = 0
        while at < len(self._tokens):
            at = self._step(at)
        return self._pad.finish()

    def _step(self, at: int) -> int:
        """Reads something at this token and returns the index behind it."""
        match self._tokens[at].kind:
            case "break":
                self._pad.break_off()
                return at + 1
            case "join":
                self._pad.join("+")
                return at + 1
            case "mark":
                return at + 1
            case "word" | "number":
                steps = (self._meal, self._negation, self._without, self._food, self._amount, self._small_word)
                return next((end for step in steps if (end := step(at)) is not None), None) or self._unknown(at)

    def _word(self, at: int) -> str:
        return self._tokens[at].word if at < len(self._tokens) and self._tokens[at].kind == "word" else ""

    def _meal(self, at: int) -> int | None:
        for length in (3, 2, 1):
            words = tuple(self._word(at + offset) for offset in range(length))
            if words in MEAL_PHRASES:
                name = self._lexicon.find(self._tokens, at)
                if name is not None and name.end > at + length:
                    return None
                self._pad.begin_meal(MEAL_PHRASES[words])
                return at + length
        return None

    def _negation(self, at: int) -> int | None:
        """ "não comi pão, só leite": everything up to the turn is left out, and reported."""
        if self._word(at) not in NEGATIONS:
            return None
        verb = at + 1
        while self._word(verb) in {"me", "eu", "a", "o", "de"}:
            verb += 1
        if self._word(verb) not in NEGATED_VERBS and self._word(at) != "nem":
            return None
        end = verb
        while end < len(self._tokens) and self._tokens[end].kind != "break" and self._word(end) not in TURNS:
            end += 1
        self._pad.leave_out(at, end)
        return end

    def _without(self, at: int) -> int | None:
        """ "sem açúcar", "sem pele": takes the next food or word away from what came before."""
        if self._word(at) not in WITHOUT:
            return None
        name = self._lexicon.find(self._tokens, at + 1)
        end = name.end if name is not None else min(at + 2, len(self._tokens))
        self._pad.note_without(at, end)
        return end

    def _food(self, at: int) -> int | None:
        before = self._pad.last_draft()
        if self._word(at) in _PREPARED and before is not None and not before.joined_since:
            return None
        name = self._lexicon.find(self._tokens, at)
        if name is None or self._is_measure_in_use(at, name):
            return None
        kind_end = self._end_of_other_kind(name)
        if kind_end is not None and (name.named.vague or name.named.food.group not in _KEEPS_ITS_KIND):
            self._pad.set_aside(at, kind_end)
            return kind_end
        draft = self._pad.begin_item(name.named, at, name.end)
        if kind_end is not None:
            self._pad.note_other_kind(draft, name.end, kind_end)
        return self._modifiers(draft, kind_end or name.end)

    def _is_measure_in_use(self, at: int, name: NameFound) -> bool:
        """ "filé de peixe" is a name, "2 filés" behind a food is a measure of it."""
        draft = self._pad.open_draft()
        return draft is not None and self._word(at) in draft.food.measures and name.end == at + 1 and name.named.vague

    def _end_of_other_kind(self, name: NameFound) -> int | None:
        """Behind "bolo de cenoura" where the table knows "bolo" alone: another cake, not carrots."""
        if self._word(name.end) not in {"de", "do", "da"}:
            return None
        follows = name.end + 1
        if self._word(follows) in FILLERS or not self._word(follows):
            return None
        if read_number(self._tokens, follows) is not None or self._word(follows) in name.named.food.measures:
            return None
        other = self._lexicon.find(self._tokens, follows)
        return other.end if other is not None else follows + 1

    def _modifiers(self, draft: Draft, at: int) -> int:
        """ "grelhado", "bem passado", "médias" behind a food."""
        while at < len(self._tokens):
            word = self._word(at)
            if word in _PREPARED:
                self._pad.prepare(draft, self._lexicon.prepared(draft.named, word), at)
            elif word in SIZES:
                draft.size = SIZES[word]
            elif word in LEVELS or (word in {"a", "na", "no", "ao", "bem"} and self._word(at + 1) in _PREPARED):
                pass
            else:
                break
            at += 1
        draft.end = at
        return at

    def _amount(self, at: int) -> int | None:
        before = self._pad.open_draft()
        found = self._amounts.read(self._tokens, at, self._pad.last_unit, None if before is None else before.food)
        if found is None:
            return None
        if before is not None and self._belongs_behind(found, before):
            self._pad.give(before, found.amount, found.end)
            return found.end
        counted = self._pad.last_draft()
        if counted is not None and self._weighs_what_was_counted(found, counted):
            each = counted.amount.value if counted.amount is not None and self._word(at - 1) in CONNECTORS else 1.0
            self._pad.give(counted, replace(found.amount, value=found.amount.value * each), found.end)
            return found.end
        self._pad.hold(found.amount, at, found.end)
        return found.end

    def _belongs_behind(self, found: AmountFound, before: Draft) -> bool:
        """In "arroz 100 g feijão 80 g" amounts follow their food; in "pão 2 ovos" the number leads the next."""
        if before.joined_since:
            return False
        leads_to_food = self._lexicon.find(self._tokens, found.end) is not None
        if found.leads and leads_to_food:
            return False
        return not leads_to_food or found.amount.unit is not None

    def _weighs_what_was_counted(self, found: AmountFound, counted: Draft) -> bool:
        """ "2 bifes de 100 g", "3 ovos (150 g)"; but "2 ovos 100 g de frango" goes on to the next food."""
        weighs = found.amount.unit is not None and found.amount.unit.grams is not None
        written = (
            counted.amount is not None and counted.amount.unit is not None and counted.amount.unit.grams is not None
        )
        leads_to_food = found.leads or self._lexicon.find(self._tokens, found.end) is not None
        return weighs and not written and not counted.joined_since and not leads_to_food

    def _small_word(self, at: int) -> int | None:
        word = self._word(at)
        if word in JOINERS:
            self._pad.join(word)
            return at + 1
        if word in FILLERS or word in CONNECTORS or word in TURNS or word in SIZES or word in LEVELS:
            return at + 1
        if word in _PREPARED and self._pad.last_draft() is not None:
            self._pad.note_preparation(at)
            return at + 1
        return None

    def _unknown(self, at: int) -> int:
        end = at + 1
        if self._word(end) in {"de", "do", "da"} and self._word(at) not in CONTAINERS:
            name = self._lexicon.find(self._tokens, end + 1)
            end = end if name is None else name.end
        self._pad.set_aside(at, end)
        return end
