"""The queue over PostgREST: one HTTP call per transition.

Plain httpx and not supabase-py, whose errors carry no HTTP status, so that "refused" and "unknown" look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import Any, TypeVar, assert_never
from uuid import UUID

import httpx
from pydantic import TypeAdapter, ValidationError

from analysis_worker.adapters.rows import AnswerRow, ClaimedRow, LostRow, ReconciledRow
from analysis_worker.errors import StoreRejectedError, StoreUnavailableError
from analysis_worker.jobs import Job, Lease
from analysis_worker.outcomes import Completed, Deferred, Failed, Outcome, Reconciliation, Released, Settlement

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_ASK_AGAIN = {401, 403, 408, 429}
_T = TypeVar("_T")
_CLAIMED = TypeAdapter(list[ClaimedRow])
_ANSWER = TypeAdapter(AnswerRow)
_ANYTHING: TypeAdapter[object] = TypeAdapter(object)
_LOST = TypeAdapter(LostRow)
_RECONCILED = TypeAdapter(ReconciledRow)


class KeyAuth(httpx.Auth):
    """Asks for the key at every request. An opaque one goes into `apikey` alone: it is no bearer token."""

    def __init__(self, current_key: Callable[[], str]) -> None:
        self._current_key = current_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        key = self._current_key()
        request.headers["apikey"] = key
        if key.startswith("ey"):
            request.headers["authorization"] = f"Bearer {key}"
        yield request


def new_http_client(url: str, current_key: Callable[[], str]) -> httpx.AsyncClient:
    """A client for `{url}/rest/v1`."""
    return httpx.AsyncClient(
        base_url=f"{url}/rest/v1/",
        auth=KeyAuth(current_key),
        headers={"accept": "application/json"},
        timeout=_TIMEOUT,
        http2=False,
    )


class PostgrestJobStore:
    """JobStore over the SQL functions of the same names."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def claim(self, worker_id: str, lease_id: UUID, types: Collection[str], max_jobs: int) -> Sequence[Job]:
        arguments = {
            "worker_id": worker_id,
            "lease_id": str(lease_id),
            "types": sorted(types),
            "max_jobs": max_jobs,
        }
        return [row.job() for row in await self._call("claim_job", arguments, _CLAIMED)]

    async def settle(self, lease: Lease, outcome: Outcome) -> Settlement:
        function, arguments = _settle_call(outcome)
        return (await self._call(function, _fence(lease) | arguments, _ANSWER)).settlement()

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
        """The function's answer. Anything that does not say whether the call took effect is "unavailable"."""
        try:
            response = await self._client.post(f"rpc/{function}", json=arguments)
        except (httpx.TransportError, OSError) as error:  # OSError: the file with the key
            raise StoreUnavailableError(f"{function}: {type(error).__name__}") from error
        if not response.is_success:
            raise _failure(function, response)
        try:
            return answer.validate_json(response.content or b"null")
        except ValidationError as error:
            raise StoreUnavailableError(f"{function}: unexpected answer ({error.error_count()} problems)") from error


def _failure(function: str, response: httpx.Response) -> StoreRejectedError | StoreUnavailableError:
    try:
        body = response.json()
    except ValueError:
        body = {}
    code = body.get("code") if isinstance(body, dict) else None
    # A 400 without a code is PostgREST losing its database in the middle of a call: the outcome is unknown. A refused
    # key says nothing about the call: it is being exchanged, and the same call will pass under the next one.
    if response.status_code >= 500 or response.status_code in _ASK_AGAIN or not code:
        return StoreUnavailableError(f"{function}: HTTP {response.status_code} {code or ''}".rstrip())
    return StoreRejectedError(str(code), f"{function}: {body.get('message')}")


def _fence(lease: Lease) -> dict[str, Any]:
    return {"job_id": str(lease.job_id), "lease_id": str(lease.lease_id)}


def _settle_call(outcome: Outcome) -> tuple[str, dict[str, Any]]:
    match outcome:
        case Completed(result, usage):
            return "complete_job", {"result": result, "usage": usage}
        case Failed(code, message, retryable, delay_seconds, usage):
            error = {"code": code, "message": message}
            arguments = {"error": error, "retryable": retryable, "delay_seconds": delay_seconds, "usage": usage}
            return "fail_job", arguments
        case Deferred(delay_seconds, reason, usage):
            return "defer_job", {"delay_seconds": delay_seconds, "reason": reason, "usage": usage}
        case Released():
            return "release_job", {}
        case _:
            assert_never(outcome)
