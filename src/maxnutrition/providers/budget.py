"""How much models may cost a day, in all and per user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from analysis_worker import DeferredError, PermanentError, RetryableError

_CACHE_SECONDS = 5.0
_MAX_CACHED_USERS = 1000
_MESSAGE = "O limite diário de uso da inteligência artificial foi atingido. Tente de novo amanhã."


class Spent(BaseModel):
    """Since the start of the day, in millionths of a dollar; the day ends in `resets_in_seconds`."""

    total_micro_usd: int
    user_micro_usd: int
    resets_in_seconds: float


class Spending(Protocol):
    async def today(self, user_id: UUID | None) -> Spent:
        """Raises `RetryableError` budget_unknown."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits in micro-dollars, None for no limit. Running calls are not counted until their attempts end."""

    total: int | None
    per_user: int | None
    when_over: Literal["defer", "refuse"]

    async def check(self, spending: Spending, user_id: UUID | None) -> None:
        """Raises `DeferredError` or `PermanentError` budget_exceeded, as set."""
        if self.total is None and self.per_user is None:
            return
        spent = await spending.today(user_id)
        over_total = self.total is not None and spent.total_micro_usd >= self.total
        over_own = self.per_user is not None and user_id is not None and spent.user_micro_usd >= self.per_user
        if not over_total and not over_own:
            return
        match self.when_over:
            case "defer":
                raise DeferredError("budget_exceeded", _MESSAGE, max(1.0, spent.resets_in_seconds))
            case "refuse":
                raise PermanentError("budget_exceeded", _MESSAGE)


class PostgrestSpending:
    """Asks the database, and believes its answer for some seconds."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, current_key: Callable[[], str], clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._url = f"{url}/rest/v1/rpc/get_spending"
        self._current_key = current_key
        self._clock = clock
        self._known: dict[UUID | None, tuple[float, Spent]] = {}

    async def today(self, user_id: UUID | None) -> Spent:
        asked_at, spent = self._known.get(user_id, (0.0, None))
        if spent is not None and self._clock() - asked_at < min(_CACHE_SECONDS, spent.resets_in_seconds):
            return spent
        if len(self._known) >= _MAX_CACHED_USERS:
            self._known.clear()
        spent = await self._ask(user_id)
        self._known[user_id] = (self._clock(), spent)
        return spent

    async def _ask(self, user_id: UUID | None) -> Spent:
        key = self._current_key()
        headers = {"apikey": key, "authorization": f"Bearer {key}"}
        try:
            response = await self._client.post(
                self._url, json={"user_id": None if user_id is None else str(user_id)}, headers=headers
            )
            response.raise_for_status()
            return Spent.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError):
            raise RetryableError("budget_unknown", "Não foi possível verificar o limite diário de uso.") from None
