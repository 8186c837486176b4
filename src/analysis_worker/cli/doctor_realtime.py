"""Would a worker be woken? Joins as a worker does, and leaves again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import anyio
from websockets.exceptions import InvalidStatus

from analysis_worker.adapters.subscription import CONNECTION_ERRORS, Signal, Subscription
from analysis_worker.cli.doctor_findings import Finding, fault, ok, skipped
from analysis_worker.wakes import WakeReason

_PATIENCE_SECONDS = 12.0  # a refusal takes the server 5 s, a cold start 3
_POLLING = "Until then workers poll."


class _Nobody:
    """A listener that is here for the signals alone."""

    def woken(self, reason: WakeReason, job_id: UUID | None = None, due_in_seconds: float = 0.0) -> None: ...

    def cancelled(self, job_id: UUID | None = None) -> None: ...


async def check_realtime(url: str, key: str) -> list[Finding]:
    """`url` is the project's."""
    subscription: Subscription | None = None
    try:
        subscription = Subscription(f"{url}/realtime/v1", key, _Nobody())
        with anyio.fail_after(_PATIENCE_SECONDS):
            await subscription.open(f"doctor-{uuid4()}")
        return [finding async for finding in _join(subscription)]
    except InvalidStatus as error:
        fix = f"Check that the key is this project's, and Realtime's logs. {_POLLING}"
        return [fault("realtime", f"refused with HTTP {error.response.status_code}", fix)]
    except CONNECTION_ERRORS as error:
        fix = f"Let WebSockets to {url}/realtime/v1 pass: proxy, firewall. {_POLLING}"
        return [fault("realtime", f"cannot be reached: {type(error).__name__}", fix)]
    finally:
        if subscription is not None:
            await subscription.close()


async def _join(subscription: Subscription) -> AsyncIterator[Finding]:
    signal = await _first_of(subscription, {Signal.READY, Signal.BROKEN})
    if signal is not Signal.READY:
        fix = f"See publication and grants above, and Realtime's logs; then restart Realtime. {_POLLING}"
        yield fault("realtime", "joined, and never told of changes" if signal is None else "the join was refused", fix)
        yield skipped("doorbell", "without Realtime")
        return
    yield ok("realtime", "told of changes to analysis_jobs")
    await subscription.join_doorbell()
    signal = await _first_of(subscription, {Signal.DOORBELL_READY, Signal.DOORBELL_REFUSED, Signal.BROKEN})
    if signal is Signal.DOORBELL_READY:
        yield ok("doorbell", "private topic joined")
    else:
        fix = "Allow private channels in Realtime's settings; the key's role needs the policy on realtime.messages."
        yield fault("doorbell", "the private topic was refused: workers wake a quarter of a second later", fix)


async def _first_of(subscription: Subscription, wanted: set[Signal]) -> Signal | None:
    with anyio.move_on_after(_PATIENCE_SECONDS):
        while True:
            signal = await subscription.next_signal(_PATIENCE_SECONDS)
            if signal in wanted:
                return signal
    return None
