"""Answers that everybody who looks shares: asked for once, and not again while they are fresh."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import anyio

_MOST_ANSWERS = 256


@dataclass(slots=True)
class _Answer:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    known_at: float = float("-inf")
    value: Any = None


class SharedAnswers:
    """By question. While one asks, the others with the same question wait for the answer; an error is not kept."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    async def get(self, question: Hashable, fresh_seconds: float, ask: Callable[[], Awaitable[Any]]) -> Any:
        answer = self._answers.setdefault(question, _Answer())
        self._answers.move_to_end(question)
        while len(self._answers) > _MOST_ANSWERS:
            self._answers.popitem(last=False)
        async with answer.lock:
            if self._clock() - answer.known_at >= fresh_seconds:
                answer.value = await ask()
                answer.known_at = self._clock()
        return answer.value

    def forget(self) -> None:
        """Somebody changed something, and wants to see it."""
        self._answers.clear()
