"""What every reply passes through before a user reads it, while it is written and when it is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from maxnutrition.prompts.emergencies import ADVICE, Emergency, emergency_in
from maxnutrition.prompts.plain_text import plain, shorten
from maxnutrition.prompts.red_lines import INSTEAD, RedLine, hold

SUGGESTIONS = re.compile(
    r"^[ \t*_#>-]{0,10}sugest(?:ões|oes|ao|ão)\b[*_ ]{0,4}:(.*)", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
_MARKER_BEGUN = re.compile(r"\n[ \t*_#>-]{0,10}sugest\w{0,10}[*_ ]{0,4}$", re.IGNORECASE)
_SENTENCES = re.compile(r".*(?:[.!?…](?=\s)|\n)", re.DOTALL)
MAX_SUGGESTIONS = 3
MAX_SUGGESTION = 80


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    suggestions: tuple[str, ...]
    crossed: tuple[RedLine, ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """How replies of a kind look: `dress` makes text of what a model wrote, `limit` counts characters."""

    dress: Callable[[str], str]
    limit: int


CHAT = Manner(plain, 4000)


@dataclass(frozen=True, slots=True)
class Desk:
    """The last desk before the user, for one message of theirs."""

    emergency: Emergency | None
    manner: Manner = CHAT

    @property
    def advice(self) -> str:
        return "" if self.emergency is None else ADVICE[self.emergency]

    def finish(self, written: str) -> Reply:
        """The reply to keep: with help first where it is needed, held to the red lines, within its length."""
        body, suggestions = _without_suggestions(written)
        held = hold(self.manner.dress(body))
        text = self._begun_with_advice(held.text or INSTEAD)
        safe = [suggestion for suggestion in map(plain, suggestions) if suggestion and not hold(suggestion).crossed]
        short = [suggestion for suggestion in safe if len(suggestion) <= MAX_SUGGESTION]
        return Reply(shorten(text, self.manner.limit), tuple(short[:MAX_SUGGESTIONS]), held.crossed)

    def show(self, written: str) -> str:
        """What can be read so far, of text that ends with a sentence: half of one cannot be held to anything."""
        return shorten(self._begun_with_advice(hold(self.manner.dress(written)).text), self.manner.limit)

    def alone(self) -> Reply:
        """The advice without any model."""
        return Reply(self.advice, (), ())

    def _begun_with_advice(self, text: str) -> str:
        return f"{self.advice}\n\n{text}".strip()


def desk_for(message: str, manner: Manner = CHAT) -> Desk:
    return Desk(emergency_in(message), manner)


def whole_sentences(written: str) -> str:
    """Of a reply that is still being written: the sentences that have ended, without suggestions."""
    body, _ = _without_suggestions(written)
    whole = _SENTENCES.match(_MARKER_BEGUN.sub("\n", body))
    return whole[0] if whole else ""


def _without_suggestions(written: str) -> tuple[str, list[str]]:
    """The last line of a reply may say "Sugestões: one | another"."""
    found = SUGGESTIONS.search(written)
    if found is None:
        return written, []
    return written[: found.start()], [part.strip(" .-•*\"'") for part in re.split(r"[|\n]", found[1])]
