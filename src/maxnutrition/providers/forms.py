"""The two forms of answers: a pydantic model, or plain text that is heard while it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from maxnutrition.providers.request import FormError, OnText
from maxnutrition.providers.schema import shared_schema

ModelT = TypeVar("ModelT", bound=BaseModel)

_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)
_WHOLE_SENTENCES = re.compile(r".*\w.*[.!?…](?=\s|$)", re.DOTALL)
_MAX_PROBLEMS = 10


def _no_problems(_: object) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Structured(Generic[ModelT]):
    model: type[ModelT]
    find_problems: Callable[[ModelT], Sequence[str]] = _no_problems
    """What the schema cannot say (a food that does not exist): short sentences for the model."""

    @property
    def schema(self) -> Mapping[str, Any]:
        return shared_schema(self.model)

    def parse(self, text: str) -> ModelT:
        fenced = _FENCE.match(text)
        try:
            parsed = self.model.model_validate_json(fenced[1] if fenced else text)
        except ValidationError as error:
            raise FormError(_describe(error)) from None  # its own text repeats what the model wrote
        if problems := self.find_problems(parsed):
            raise FormError("\n".join(problems[:_MAX_PROBLEMS]))
        return parsed

    def salvage(self, text: str) -> None:
        """Half a JSON document is none."""
        del text

    async def on_text(self, text: str) -> None:
        """Half a JSON document says nothing to anybody."""


@dataclass(frozen=True, slots=True)
class PlainText:
    listen: OnText

    @property
    def schema(self) -> None:
        return None

    def parse(self, text: str) -> str:
        if not text.strip():
            raise FormError("The answer is empty.")
        return text

    def salvage(self, text: str) -> str | None:
        """Its whole sentences."""
        whole = _WHOLE_SENTENCES.match(text)
        return whole[0] if whole else None

    async def on_text(self, text: str) -> None:
        await self.listen(text)


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)[:_MAX_PROBLEMS]
    return "\n".join(f"{'.'.join(map(str, problem['loc'])) or 'answer'}: {problem['msg']}" for problem in problems)
