"""What has been read so far of a text: items being put together, an amount that waits, words that nobody understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from maxnutrition.foods.meal_text.items import Amount, Leftover, ParsedItem, ParsedMeal
from maxnutrition.foods.meal_text.lexicon import Named
from maxnutrition.foods.meal_text.measures import Unit
from maxnutrition.foods.meal_text.portions import weigh
from maxnutrition.foods.meal_text.tokens import Token
from maxnutrition.foods.meal_text.vocabulary import JOINERS, NEUTRAL_PREPARATIONS, Meal
from maxnutrition.foods.model import Food

_CONTAINERS = frozenset({"prato", "tigela"})
_MAIN_ROLES = frozenset({"starch", "beans", "protein"})


@dataclass(slots=True)
class Draft:
    """An item under way: tokens[start:end], and what has been learned about it."""

    named: Named
    start: int
    end: int
    meal: Meal | None
    amount: Amount | None = None
    size: str | None = None
    joined_by: str = ""
    joined_since: bool = False
    doubt: float = 1.0
    notes: list[str] = field(default_factory=list)

    @property
    def food(self) -> Food:
        return self.named.food

    @property
    def wants_amount(self) -> bool:
        return self.amount is None or self.amount.vague


@dataclass(slots=True)
class _Held:
    amount: Amount
    start: int
    end: int


class Notepad:
    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._drafts: list[Draft] = []
        self._held: _Held | None = None
        self._aside: list[tuple[int, int]] = []
        self._left_out: list[tuple[int, int]] = []
        self._meal: Meal | None = None
        self._joined_by = ""
        self._fresh = False
        self.last_unit: Unit | None = None

    def open_draft(self) -> Draft | None:
        """The item directly before, where it still wants an amount."""
        draft = self.last_draft()
        return draft if draft is not None and draft.wants_amount and self._held is None else None

    def last_draft(self) -> Draft | None:
        """The item directly before, with nothing but small words since."""
        return self._drafts[-1] if self._drafts and self._fresh else None

    def begin_meal(self, meal: Meal | None) -> None:
        self.break_off()
        self._meal = meal

    def begin_item(self, named: Named, start: int, end: int) -> Draft:
        draft = Draft(named, start, end, self._meal, joined_by=self._joined_by)
        if self._held is not None:
            draft.amount, draft.start = self._held.amount, self._held.start
            self._held = None
        if any(token.corrected for token in self._tokens[start:end]):
            draft.doubt *= 0.85
            draft.notes.append(f"Entendi “{self._said(start, end)}” como {named.food.name}.")
        if named.vague:
            draft.doubt *= 0.75
            draft.notes.append(f"“{self._said(start, end)}” pode ser várias coisas; considerei {named.food.name}.")
        self._drafts.append(draft)
        self._fresh, self._joined_by = True, ""
        return draft

    def hold(self, amount: Amount, start: int, end: int) -> None:
        """An amount whose food has to come; one that still waits is given back or reported."""
        self._settle_held()
        self._held = _Held(amount, start, end)
        if amount.unit is not None:
            self.last_unit = amount.unit

    def give(self, draft: Draft, amount: Amount, end: int) -> None:
        draft.amount, draft.end = amount, end
        if amount.unit is not None:
            self.last_unit = amount.unit

    def prepare(self, draft: Draft, prepared: Named | None, at: int) -> None:
        if prepared is not None:
            draft.named = prepared
        else:
            self._note_preparation(draft, at)

    def note_preparation(self, at: int) -> None:
        draft = self.last_draft()
        assert draft is not None
        self._note_preparation(draft, at)

    def _note_preparation(self, draft: Draft, at: int) -> None:
        if self._tokens[at].word in draft.named.words:
            return
        if self._tokens[at].word not in NEUTRAL_PREPARATIONS:
            draft.doubt *= 0.75
        draft.notes.append(f"“{self._said(at, at + 1)}” não está na tabela; usei {draft.food.name}.")

    def note_other_kind(self, draft: Draft, start: int, end: int) -> None:
        draft.end = end
        draft.doubt *= 0.6
        draft.notes.append(f"“{self._said(start, end)}” não está na tabela; usei {draft.food.name}.")

    def note_without(self, start: int, end: int) -> None:
        draft = self.last_draft()
        if draft is None:
            self._left_out.append((start, end))
        else:
            draft.notes.append(self._said(start, end))

    def join(self, by: str) -> None:
        self._report_held()
        self._joined_by = by
        draft = self.last_draft()
        if draft is not None:
            draft.joined_since = True

    def set_aside(self, start: int, end: int) -> None:
        """Words that are not understood, with the amount that waited for them."""
        if self._held is not None:
            start = self._held.start
            self._held = None
        if self._aside and self._continues(self._aside[-1][1], start):
            self._aside[-1] = (self._aside[-1][0], end)
        else:
            self._aside.append((start, end))
        draft = self.last_draft()
        if draft is not None and draft.end == start:
            draft.doubt *= 0.7
        self._fresh = False

    def leave_out(self, start: int, end: int) -> None:
        self.break_off()
        self._left_out.append((start, end))

    def break_off(self) -> None:
        self._settle_held()
        self._joined_by = ","

    def finish(self) -> ParsedMeal:
        self._settle_held()
        for draft, following in zip(self._drafts, self._drafts[1:], strict=False):
            _empty_container(draft, following)
        leftovers = [
            *((start, Leftover(self._said(start, end), "not_understood")) for start, end in self._aside),
            *((start, Leftover(self._said(start, end), "negated")) for start, end in self._left_out),
        ]
        ordered = tuple(leftover for _, leftover in sorted(leftovers, key=lambda each: each[0]))
        return ParsedMeal(tuple(map(self._item, self._drafts)), ordered)

    def _settle_held(self) -> None:
        """An amount without a food belongs to the last item that has none, and is reported otherwise."""
        last = self._drafts[-1] if self._drafts else None
        held = self._held
        if held is None or last is None or not last.wants_amount or not self._only_small_words(last.end, held.start):
            self._report_held()
        else:
            last.amount, last.end = held.amount, held.end
            self._held = None

    def _report_held(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        if self._aside and not self._fresh and self._only_small_words(self._aside[-1][1], held.start):
            self._aside[-1] = (self._aside[-1][0], held.end)
        else:
            self._aside.append((held.start, held.end))

    def _continues(self, start: int, end: int) -> bool:
        """Whether words put aside go on: nothing between them but small words, and no "e"."""
        between = self._tokens[start:end]
        return all(token.kind == "word" and token.word not in JOINERS for token in between) and len(between) <= 2

    def _only_small_words(self, start: int, end: int) -> bool:
        between = self._tokens[start:end]
        return all(token.kind in {"mark", "word"} or token.word == "," for token in between) and len(between) <= 4

    def _item(self, draft: Draft) -> ParsedItem:
        amount = draft.amount
        if draft.size is not None:
            amount = replace(amount or Amount(1.0, vague=True), size=draft.size)
        portion = weigh(draft.food, amount)
        notes = [*draft.notes, *([] if portion.note is None else [portion.note])]
        return ParsedItem(
            food=draft.food,
            grams=round(portion.grams, 1),
            said=self._said(draft.start, draft.end),
            derivation=portion.derivation,
            amount=portion.amount,
            confidence=round(portion.confidence * draft.doubt, 2),
            meal=draft.meal,
            notes=tuple(notes),
        )

    def _said(self, start: int, end: int) -> str:
        return self._text[self._tokens[start].start : self._tokens[end - 1].end]


def _empty_container(draft: Draft, following: Draft) -> None:
    """ "um prato de arroz e feijão" is a plate with both on it, not a plate of rice."""
    amount = draft.amount
    shared = following.amount is None and following.joined_by in {"", "e"} and following.food.roles & _MAIN_ROLES
    if (
        amount is not None
        and amount.unit is not None
        and amount.unit.name in _CONTAINERS
        and amount.value == 1
        and shared
    ):
        draft.amount = None
