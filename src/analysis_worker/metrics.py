"""What a worker measures, and how an application adds measurements of its own.

    async with app(settings): ...            # while it opens:
    requests = current_meters().counter("gemini_requests", "Requests to Gemini.", ("outcome",))
    requests.add(1, outcome="ok")

They appear on the worker's `/metrics`. Without a port or a client for Prometheus, all of this counts nothing and costs
nothing. Labels are for few, known values: never a user, never a job.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from analysis_worker.jobs import Job, JobStatus
from analysis_worker.observer import Answer, Observer
from analysis_worker.outcomes import Failed, Outcome, Reconciliation, Settlement, Usage
from analysis_worker.wakes import ListenerState, WakeReason

_MICRO = 1e-6


class Instrument:
    """One metric. This one forgets; each kind that remembers knows some of these words."""

    def add(self, amount: float, **labels: str) -> None:
        """Counters and gauges."""

    def set(self, value: float, **labels: str) -> None:
        """Gauges."""

    def observe(self, value: float, **labels: str) -> None:
        """Histograms."""

    def clear(self) -> None:
        """Gauges: forget all values, rather than tell old ones."""


class Meters:
    """Where instruments come from. The same name twice is the same instrument."""

    def counter(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        """Told as `<name>_total`."""
        del name, description, labels
        return Instrument()

    def gauge(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        del name, description, labels
        return Instrument()

    def histogram(self, name: str, description: str, labels: Collection[str] = ()) -> Instrument:
        """Of seconds, from hundredths to minutes."""
        del name, description, labels
        return Instrument()


_CURRENT: ContextVar[Meters] = ContextVar("analysis_worker_meters")


def current_meters() -> Meters:
    """The meters of the worker that opens the application. Elsewhere, ones that forget."""
    return _CURRENT.get(Meters())


@contextmanager
def offering(meters: Meters) -> Iterator[None]:
    """Within, `current_meters` gives these."""
    token = _CURRENT.set(meters)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class WorkerMetrics(Observer):
    """The engine's own metrics."""

    def __init__(self, meters: Meters) -> None:
        self._jobs = meters.counter(
            "analysis_worker_jobs",
            "Attempts ended: completed, failed, retried (failed, and tried again), deferred, released, lost (the lease "
            "was), unsettled (the queue was not told).",
            ("type", "outcome"),
        )
        self._failures = meters.counter(
            "analysis_worker_failures", "Attempts failed or retried, by error code.", ("type", "code")
        )
        self._in_flight = meters.gauge("analysis_worker_jobs_in_flight", "Jobs that run now.", ("type",))
        self._wait = meters.histogram(
            "analysis_worker_job_wait_seconds", "From enqueued to claimed, of first attempts.", ("type",)
        )
        self._run = meters.histogram("analysis_worker_job_run_seconds", "From claimed to settled.", ("type",))
        self._latency = meters.histogram(
            "analysis_worker_job_latency_seconds", "From enqueued to completed: what a user waits.", ("type",)
        )
        self._tokens = meters.counter(
            "analysis_worker_tokens", "Tokens that attempts used at providers.", ("type", "direction")
        )
        self._cost = meters.counter("analysis_worker_cost_usd", "What attempts cost at providers.", ("type",))
        self._wakes = meters.counter("analysis_worker_wakes", "Looks at the queue, by what led to them.", ("source",))
        self._missed = meters.counter("analysis_worker_missed_events", "Jobs that were never announced.")
        self._listener = meters.gauge("analysis_worker_listener_state", "1 for the state it is in.", ("state",))
        self._transitions = meters.counter(
            "analysis_worker_listener_transitions", "Changes of the listener's state, by the new one.", ("state",)
        )
        self._calls = meters.counter(
            "analysis_worker_queue_calls", "Calls of the queue's functions.", ("function", "answer")
        )
        self._call_seconds = meters.histogram(
            "analysis_worker_queue_call_seconds", "Time until the queue answered.", ("function",)
        )
        self._reconciled = meters.counter(
            "analysis_worker_reconciled_attempts",
            "Attempts that this worker ended for others: rescued (the worker died), expired, failed.",
            ("result",),
        )
        self._lag = meters.histogram("analysis_worker_event_loop_lag_seconds", "How late the event loop ran.")
        self._draining = meters.gauge("analysis_worker_draining", "1 while the worker stops.")
        for answer in Answer:
            self._calls.add(0, function="claim_job", answer=answer)
        for result in ("rescued", "expired", "failed"):
            self._reconciled.add(0, result=result)
        self._draining.set(0)

    def woken(self, reason: WakeReason) -> None:
        self._wakes.add(1, source=reason)

    def events_missed(self, count: int) -> None:
        self._missed.add(count)

    def listener_entered(self, state: ListenerState) -> None:
        self._transitions.add(1, state=state)
        for other in ListenerState:
            self._listener.set(other is state, state=other)

    def called(self, function: str, answer: Answer, seconds: float) -> None:
        self._calls.add(1, function=function, answer=answer)
        if answer is not Answer.NONE:
            self._call_seconds.observe(seconds, function=function)

    def reconciled(self, found: Reconciliation) -> None:
        for result in ("rescued", "expired", "failed"):
            self._reconciled.add(getattr(found, result), result=result)

    def started(self, job: Job) -> None:
        self._in_flight.add(1, type=job.type)
        if job.attempt == 1:
            self._wait.observe(job.age_seconds, type=job.type)

    def ended(self, job: Job, outcome: Outcome | None, settlement: Settlement | None, run_seconds: float) -> None:
        word = word_for(outcome, settlement)
        self._in_flight.add(-1, type=job.type)
        self._jobs.add(1, type=job.type, outcome=word)
        self._run.observe(run_seconds, type=job.type)
        if word == "completed":
            self._latency.observe(job.age_seconds + run_seconds, type=job.type)
        if isinstance(outcome, Failed):
            self._failures.add(1, type=job.type, code=outcome.code)
        self._count_usage(job.type, getattr(outcome, "usage", None))

    def _count_usage(self, type: str, usage: Usage | None) -> None:
        for direction in ("input", "output"):
            self._tokens.add(_number(usage, f"{direction}_tokens"), type=type, direction=direction)
        self._cost.add(_number(usage, "cost_micro_usd") * _MICRO, type=type)

    def loop_ticked(self, lag_seconds: float) -> None:
        self._lag.observe(lag_seconds)

    def drain_began(self) -> None:
        self._draining.set(1)


def word_for(outcome: Outcome | None, settlement: Settlement | None) -> str:
    """What became of an attempt, as metrics call it."""
    if outcome is None or (settlement is not None and not settlement.lease_held):
        return "lost"
    if settlement is None:
        return "unsettled"
    if isinstance(outcome, Failed) and settlement.status is JobStatus.PENDING:
        return "retried"
    return type(outcome).__name__.lower()


def _number(usage: Usage | None, name: str) -> float:
    """What the application counted, where it counted something that can be added up."""
    value = (usage or {}).get(name)
    return value if isinstance(value, int | float) and value >= 0 else 0
