"""The queue as its SQL functions, whichever way they are called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar, assert_never
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from analysis_worker.adapters.rows import AnswerRow, ClaimedRow, LostRow, ReconciledRow, RefusedRow
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError
from analysis_worker.jobs import Job, Lease
from analysis_worker.outcomes import Completed, Deferred, Failed, Outcome, Reconciliation, Released, Settlement

_T = TypeVar("_T")
_CLAIMED = TypeAdapter(list[ClaimedRow])
_ANSWER = TypeAdapter(AnswerRow)
_ANSWERS = TypeAdapter(list[AnswerRow | RefusedRow])
_ANYTHING: TypeAdapter[object] = TypeAdapter(object)
_LOST = TypeAdapter(LostRow)
_RECONCILED = TypeAdapter(ReconciledRow)


class SqlJobStore(ABC):
    """JobStore over the SQL functions of the same names."""

    @abstractmethod
    async def _ask(self, function: str, arguments: Mapping[str, Any]) -> bytes | str:
        """The function's answer as JSON, rows as an array. Raises StoreUnavailableError or StoreRejectedError."""

    async def claim(self, worker_id: str, lease_id: UUID, types: Collection[str], max_jobs: int) -> Sequence[Job]:
        arguments = {
            "worker_id": worker_id,
            "lease_id": str(lease_id),
            "types": sorted(types),
            "max_jobs": max_jobs,
        }
        return [row.job() for row in await self._call("claim_job", arguments, _CLAIMED)]

    async def settle(self, outcomes: Mapping[Lease, Outcome]) -> Mapping[Lease, Settlement | StoreRejectedError]:
        settlements = [_fence(lease) | _told(outcome) for lease, outcome in outcomes.items()]
        answers = await self._call("settle_jobs", {"settlements": settlements}, _ANSWERS)
        return {lease: _answer_in(row) for lease, row in zip(outcomes, answers, strict=True)}

    async def report_progress(self, lease: Lease, progress: float, phase: str, partial: str | None) -> bool:
        arguments = _fence(lease) | {"progress": progress, "phase": phase, "partial": partial}
        return (await self._call("report_progress", arguments, _ANSWER)).settlement().lease_held

    async def save_checkpoint(self, lease: Lease, data: Any) -> bool:
        arguments = _fence(lease) | {"data": data}
        return (await self._call("save_checkpoint", arguments, _ANSWER)).settlement().lease_held

    async def heartbeat(self, worker_id: str, lease_seconds: float, held: Collection[Lease]) -> Collection[Lease]:
        state = {"lease_seconds": lease_seconds}
        arguments = {"worker_id": worker_id, "state": state, "held": [_fence(lease) for lease in held]}
        lost = set((await self._call("heartbeat_worker", arguments, _LOST)).lost)
        return [lease for lease in held if lease.job_id in lost]

    async def reconcile(self) -> Reconciliation:
        return (await self._call("reconcile_jobs", {}, _RECONCILED)).reconciliation()

    async def deregister(self, worker_id: str) -> None:
        await self._call("deregister_worker", {"worker_id": worker_id}, _ANYTHING)

    async def _call(self, function: str, arguments: Mapping[str, Any], answer: TypeAdapter[_T]) -> _T:
        try:
            return answer.validate_json(await self._ask(function, arguments) or "null")
        except ValidationError as error:
            raise StoreUnavailableError(f"{function}: unexpected answer ({error.error_count()} problems)") from error


def _fence(lease: Lease) -> dict[str, Any]:
    return {"job_id": str(lease.job_id), "lease_id": str(lease.lease_id)}


def _told(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Completed(result, usage):
            return {"outcome": "completed", "result": result, "usage": usage}
        case Failed(code, message, retryable, delay_seconds, usage):
            error = {"code": code, "message": message}
            told = {"error": error, "retryable": retryable, "delay_seconds": delay_seconds, "usage": usage}
            return {"outcome": "failed"} | told
        case Deferred(delay_seconds, reason, usage):
            return {"outcome": "deferred", "delay_seconds": delay_seconds, "reason": reason, "usage": usage}
        case Released():
            return {"outcome": "released"}
        case _:
            assert_never(outcome)


def _answer_in(row: AnswerRow | RefusedRow) -> Settlement | StoreRejectedError:
    return row.error() if isinstance(row, RefusedRow) else row.settlement()
