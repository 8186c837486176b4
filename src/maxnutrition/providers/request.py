"""What a handler asks of a model, and what it gets: the one protocol that handlers know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from analysis_worker import JobContext

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
OnText: TypeAlias = Callable[[str], Awaitable[None]]
"""Hears the whole text so far; after a new start, the text that began again."""


class FormError(Exception):
    """An answer that has not the form asked for. The message goes back to the model, so it holds no secrets."""


class Form(Protocol[T_co]):
    """What an answer has to look like."""

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """JSON schema for the provider; None for plain text."""

    def parse(self, text: str) -> T_co:
        """Raises FormError."""

    def salvage(self, text: str) -> T_co | None:
        """What can be used of an answer that was cut off; None where that is nothing and more room is needed."""

    async def on_text(self, text: str) -> None:
        """Hears the whole text so far."""


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["user", "model"]
    text: str
    images: tuple[bytes, ...] = ()
    """JPEG."""


@dataclass(frozen=True, slots=True)
class ModelRequest(Generic[T]):
    purpose: str
    """The job type: settings choose providers and model by it."""
    system: str
    messages: tuple[Message, ...]
    form: Form[T]
    max_output_tokens: int = 2048


@dataclass(frozen=True, slots=True)
class ModelReply(Generic[T]):
    output: T
    provider: str
    model: str


class Models(Protocol):
    async def generate(self, request: ModelRequest[T], context: JobContext) -> ModelReply[T]:
        """Asks the providers of this purpose in their order. Cancelling closes the connection.

        Raises `PermanentError` (provider_not_configured, answer_blocked, provider_refused, budget_exceeded),
        `RetryableError` (provider_unavailable, answer_unusable, budget_unknown), `DeferredError` (provider_busy,
        budget_exceeded).
        """
