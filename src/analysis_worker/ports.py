"""What the engine needs from the world: a queue to ask, and somebody to ring when it should.

A store's writes after a claim all carry the lease, and each is safe to send twice: the second answer is the first one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from analysis_worker.errors import StoreRejectedError
from analysis_worker.jobs import Job, Lease
from analysis_worker.outcomes import Outcome, Reconciliation, Settlement
from analysis_worker.wakes import ListenerState, WakeReason


class JobStore(Protocol):
    """The queue. Every method raises StoreUnavailableError or StoreRejectedError, and nothing else of its own."""

    async def claim(self, worker_id: str, lease_id: UUID, types: Collection[str], max_jobs: int) -> Sequence[Job]:
        """pending -> processing for up to `max_jobs` jobs (1 to 100), all under `lease_id`.

        The same `lease_id` again returns what it still holds and claims nothing more.
        """
        ...

    async def settle(self, outcomes: Mapping[Lease, Outcome]) -> Mapping[Lease, Settlement | StoreRejectedError]:
        """processing -> what the outcome says, once, for each lease by itself: one that is refused harms no other.

        Under a lost lease nothing changes, and the answer says so. At most 200 at a time.
        """
        ...

    async def report_progress(self, lease: Lease, progress: float, phase: str, partial: str | None) -> bool:
        """Show `progress` (0..1), `phase` and, unless None, the text so far to the job's owner; False where the lease
        is lost."""
        ...

    async def save_checkpoint(self, lease: Lease, data: Any) -> bool:
        """Keep `data` (JSON) for the job's next attempt, in place of what was kept; False where the lease is lost."""
        ...

    async def heartbeat(self, worker_id: str, lease_seconds: float, held: Collection[Lease]) -> Collection[Lease]:
        """Say that this worker lives for `lease_seconds` more; returns those of `held` that are gone."""
        ...

    async def reconcile(self) -> Reconciliation:
        """Rescue jobs of dead workers and end jobs far past their deadline. Any worker may call it at any time."""
        ...

    async def deregister(self, worker_id: str) -> None:
        """Forget this worker; what it still holds is pending again with its attempt given back."""
        ...


class Listener(Protocol):
    """Who is told. Both are called from the event loop and never raise."""

    def woken(self, reason: WakeReason, job_id: UUID | None = None, due_in_seconds: float = 0.0) -> None:
        """There may be something to claim, now or then; `job_id` where a single job was announced."""
        ...

    def cancelled(self, job_id: UUID | None = None) -> None:
        """Somebody cancelled jobs, whoever runs them; `job_id` where it was a single one."""
        ...


class WakeSource(Protocol):
    """Somebody who notices new jobs. A hint and no promise: the reconciler makes the promise."""

    @property
    def state(self) -> ListenerState: ...

    @property
    def ready_seconds(self) -> float:
        """For how long it has been ready; 0 while it is not."""
        ...

    def distrust(self) -> None:
        """Events did not come although they should have: start anew, whatever it looks like from inside."""
        ...

    async def run(self, listener: Listener) -> None:
        """Listen until cancelled, whatever happens to the connection."""
        ...
