"""What the gateway asks of a provider: one call, streamed, metered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from maxnutrition.providers.request import Message, OnText

Finish = Literal["stop", "length", "blocked"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. `input_tokens` includes the cached ones, `output_tokens` what the model thought."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class Meter:
    """The usage of one call as far as it is known; it outlives the call's failure."""

    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Call:
    model: str
    system: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    finish: Finish
    reason: str = ""
    """The provider's own word for a block."""


class Provider(Protocol):
    @property
    def name(self) -> str: ...

    async def answer(self, call: Call, meter: Meter, on_text: OnText) -> Answer:
        """Raises one of the errors in `errors`; never anything that holds a key or what the user sent."""
