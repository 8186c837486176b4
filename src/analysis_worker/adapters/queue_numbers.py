"""The queue's numbers as metrics: asked when somebody reads them, and not more often than they change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import httpx
from loguru import logger

from analysis_worker.metrics import Instrument, Meters

_FRESH_SECONDS = 10.0
_PATIENCE_SECONDS = 3.0
_WINDOW_SECONDS = 300
_STATES = ("claimable", "waiting", "delayed", "running")
_RATES = ("enqueued", "ended", "cached")


class QueueNumbers:
    """Of each job type, from `queue_stats`. While that does not answer, `analysis_queue_up` is 0, all else silent."""

    def __init__(self, client: httpx.AsyncClient, meters: Meters, clock: Callable[[], float]) -> None:
        """`client` is for `{url}/rest/v1`."""
        self._client = client
        self._clock = clock
        self._asked_at = -math.inf
        self._asking = anyio.Lock()
        self._up = meters.gauge("analysis_queue_up", "1 where the queue told its numbers.")
        self._workers = meters.gauge("analysis_queue_workers", "Workers alive.")
        self._by_type = {
            "jobs": meters.gauge("analysis_queue_jobs", "Jobs in the queue.", ("type", "state")),
            "oldest": meters.gauge(
                "analysis_queue_oldest_seconds", "How long the oldest job that could be claimed has waited.", ("type",)
            ),
            "rate": meters.gauge("analysis_queue_jobs_per_minute", "Jobs that come and go.", ("type", "event")),
            "errors": meters.gauge("analysis_queue_error_ratio", "Share of attempts that failed.", ("type",)),
            "wait": meters.gauge("analysis_queue_wait_p95_seconds", "From due to claimed.", ("type",)),
            "run": meters.gauge("analysis_queue_run_p95_seconds", "From claimed to the end.", ("type",)),
            "paused": meters.gauge("analysis_queue_paused", "1 where the type is paused.", ("type",)),
        }

    async def refresh(self) -> None:
        async with self._asking:
            if self._clock() - self._asked_at < _FRESH_SECONDS:
                return
            stats = await self._ask()
            self._asked_at = self._clock()
        for gauge in self._by_type.values():
            gauge.clear()
        self._up.set(stats is not None)
        self._workers.set(math.nan if stats is None else stats["workers_alive"])
        for type, numbers in ({} if stats is None else stats["types"]).items():
            _tell(self._by_type, type, numbers)

    async def _ask(self) -> Mapping[str, Any] | None:
        try:
            with anyio.fail_after(_PATIENCE_SECONDS):
                response = await self._client.post("rpc/queue_stats", json={"window_seconds": _WINDOW_SECONDS})
            response.raise_for_status()
            answer: dict[str, Any] = response.json()
        except (httpx.HTTPError, OSError, ValueError) as error:  # OSError: the file with the key, or no answer in time
            logger.warning("queue told no numbers", error=str(error) or type(error).__name__)
            return None
        return answer


def _tell(gauges: Mapping[str, Instrument], type: str, numbers: Mapping[str, Any]) -> None:
    for state in _STATES:
        gauges["jobs"].set(numbers[state], type=type, state=state)
    for event in _RATES:
        gauges["rate"].set(numbers[f"{event}_per_minute"], type=type, event=event)
    gauges["oldest"].set(numbers["oldest_claimable_seconds"] or 0, type=type)
    gauges["paused"].set(numbers["paused"], type=type)
    measured = {
        "errors": numbers["error_rate"],
        "wait": numbers["wait_seconds"]["p95"],
        "run": numbers["run_seconds"]["p95"],
    }
    for name, value in measured.items():
        if value is not None:
            gauges[name].set(value, type=type)
