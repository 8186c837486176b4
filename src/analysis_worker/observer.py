"""Whoever wants to know what a worker does: metrics, probes, tests."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from analysis_worker.jobs import Job
from analysis_worker.outcomes import Outcome, Reconciliation, Settlement
from analysis_worker.wakes import ListenerState, WakeReason


class Answer(StrEnum):
    """What came back from the queue."""

    ANSWERED = "answered"
    REFUSED = "refused"
    NONE = "none"


class Observer:
    """Told of everything, does nothing. Who wants to know overrides what it wants to know.

    The methods are called in the middle of the work, so they return at once and never raise. `called` and `reconciled`
    also come from the heartbeats' thread.
    """

    def woken(self, reason: WakeReason) -> None:
        """The dispatcher looks at the queue."""

    def events_missed(self, count: int) -> None:
        """So many jobs were never announced, by a listener that called itself ready."""

    def listener_entered(self, state: ListenerState) -> None: ...

    def called(self, function: str, answer: Answer, seconds: float) -> None:
        """The queue was asked."""

    def reconciled(self, found: Reconciliation) -> None: ...

    def started(self, job: Job) -> None:
        """A claimed job took a slot."""

    def ended(self, job: Job, outcome: Outcome | None, settlement: Settlement | None, run_seconds: float) -> None:
        """The attempt is over. No outcome: the lease was lost. No settlement: the queue was not told."""

    def loop_ticked(self, lag_seconds: float) -> None:
        """The event loop ran, so much later than it should have."""

    def drain_began(self) -> None: ...


NOBODY = Observer()


class Observers(Observer):
    """Passes everything on to each of several."""

    def __init__(self, observers: Collection[Observer]) -> None:
        self._observers = observers

    def woken(self, reason: WakeReason) -> None:
        for observer in self._observers:
            observer.woken(reason)

    def events_missed(self, count: int) -> None:
        for observer in self._observers:
            observer.events_missed(count)

    def listener_entered(self, state: ListenerState) -> None:
        for observer in self._observers:
            observer.listener_entered(state)

    def called(self, function: str, answer: Answer, seconds: float) -> None:
        for observer in self._observers:
            observer.called(function, answer, seconds)

    def reconciled(self, found: Reconciliation) -> None:
        for observer in self._observers:
            observer.reconciled(found)

    def started(self, job: Job) -> None:
        for observer in self._observers:
            observer.started(job)

    def ended(self, job: Job, outcome: Outcome | None, settlement: Settlement | None, run_seconds: float) -> None:
        for observer in self._observers:
            observer.ended(job, outcome, settlement, run_seconds)

    def loop_ticked(self, lag_seconds: float) -> None:
        for observer in self._observers:
            observer.loop_ticked(lag_seconds)

    def drain_began(self) -> None:
        for observer in self._observers:
            observer.drain_began()
