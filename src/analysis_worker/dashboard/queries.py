"""What the pages show, asked of the queue. Who looks at the same gets the same answer for some seconds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from analysis_worker.adapters.operators import AsyncOperations
from analysis_worker.dashboard.shared import SharedAnswers

LIVE_SECONDS = 3.0
_JOB = (
    "id,type,status,user_id,attempt,max_attempts,rescues,priority,progress,phase,error,cached,leased_by,deadline_at,"
    "scheduled_at,created_at,started_at,finished_at"
)
_WORKERS_SHOWN = 200
AUDIT_SHOWN = 50


class Queries:
    """Raises StoreUnavailableError and StoreRejectedError."""

    def __init__(self, operations: AsyncOperations, answers: SharedAnswers) -> None:
        self._operations = operations
        self._answers = answers

    async def stats(self, window_seconds: int) -> dict[str, Any]:
        return await self._object("queue_stats", {"window_seconds": window_seconds})

    async def history(self, window_seconds: int, buckets: int) -> dict[str, Any]:
        """The longer the window, the longer it is true."""
        arguments = {"window_seconds": window_seconds, "buckets": buckets}
        return await self._object("describe_history", arguments, max(LIVE_SECONDS, window_seconds / 5000))

    async def health(self) -> dict[str, Any]:
        return await self._object("check_health", {})

    async def jobs(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        return await self._object("list_jobs", filters)

    async def job(self, job_id: str) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]] | None:
        """The job without its contents, its attempts, and what was done to it."""
        found = await self._read("analysis_jobs", {"select": _JOB, "id": f"eq.{job_id}"})
        if not found:
            return None
        attempts = await self._read("analysis_attempts", {"job_id": f"eq.{job_id}", "order": "started_at"})
        done = await self._read("analysis_audit", {"details->>job_id": f"eq.{job_id}", "order": "id"})
        return found[0], attempts, done

    async def types(self) -> list[dict[str, Any]]:
        return await self._read("analysis_types", {"order": "type", "select": "*"})

    async def workers(self) -> list[dict[str, Any]]:
        return await self._read("analysis_workers", {"order": "started_at.desc", "limit": str(_WORKERS_SHOWN)})

    async def errors(self, window_seconds: int) -> list[dict[str, Any]]:
        return await self._list("describe_errors", {"window_seconds": window_seconds})

    async def usage(self, days: int) -> list[dict[str, Any]]:
        return await self._list("describe_usage", {"days": days}, 60.0)

    async def audit(self, before: int | None) -> list[dict[str, Any]]:
        """One more than is shown says that there are more."""
        older = {} if before is None else {"id": f"lt.{before}"}
        return await self._read("analysis_audit", {"order": "id.desc", "limit": str(AUDIT_SHOWN + 1)} | older)

    async def replayable(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        return await self._object("count_replayable_jobs", filters, 0.0)

    async def act(self, function: str, arguments: Mapping[str, Any], actor: str) -> Any:
        """Changes something, on record as done by `actor`."""
        answer = await self._operations.call(function, arguments, actor)
        self._answers.forget()
        return answer

    async def _object(
        self, function: str, arguments: Mapping[str, Any], fresh_seconds: float = LIVE_SECONDS
    ) -> dict[str, Any]:
        answer: dict[str, Any] = await self._call(function, arguments, fresh_seconds)
        return answer

    async def _list(
        self, function: str, arguments: Mapping[str, Any], fresh_seconds: float = LIVE_SECONDS
    ) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = await self._call(function, arguments, fresh_seconds)
        return answer

    async def _call(self, function: str, arguments: Mapping[str, Any], fresh_seconds: float) -> Any:
        question = (function, *sorted(arguments.items()))
        return await self._answers.get(question, fresh_seconds, partial(self._operations.call, function, arguments))

    async def _read(self, table: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        question = (table, *sorted(query.items()))
        ask = partial(self._operations.read, table, query)
        answer: list[dict[str, Any]] = await self._answers.get(question, LIVE_SECONDS, ask)
        return answer
