"""What the probes say, of every state that a worker can be in."""

from __future__ import annotations

import pytest

from analysis_worker.health import TICK_PATIENCE_SECONDS, Vitals
from analysis_worker.observer import Answer
from analysis_worker.wakes import ListenerState

PATIENCE = 25.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vitals(clock: Clock) -> Vitals:
    return Vitals(clock, PATIENCE, ListenerState.CONNECTING)


def answered(vitals: Vitals) -> None:
    vitals.called("claim_job", Answer.ANSWERED, 0.01)


def readiness(vitals: Vitals) -> tuple[int, str]:
    report = vitals.ready()
    return report.status, report.body["status"]


def test_a_worker_starts_with_the_first_answer_of_the_queue(vitals: Vitals) -> None:
    for answer in (Answer.NONE, Answer.REFUSED):
        vitals.called("reconcile_jobs", answer, 0.01)
        assert vitals.startup().status == 503
        assert readiness(vitals) == (503, "starting")
    answered(vitals)
    assert vitals.startup().status == 200


def test_a_listener_that_is_not_ready_makes_it_degraded_and_no_worse(vitals: Vitals) -> None:
    answered(vitals)
    assert readiness(vitals) == (200, "degraded")
    vitals.listener_entered(ListenerState.READY)
    assert readiness(vitals) == (200, "ready")
    vitals.listener_entered(ListenerState.DEGRADED)
    assert readiness(vitals) == (200, "degraded")
    assert vitals.ready().body["listener"] == "degraded"


def test_a_worker_that_is_not_to_listen_lacks_nothing(clock: Clock) -> None:
    vitals = Vitals(clock, PATIENCE, None)
    answered(vitals)
    assert readiness(vitals) == (200, "ready")
    assert vitals.ready().body["listener"] == "off"


def test_a_queue_that_stays_silent_is_unreachable_until_it_answers(vitals: Vitals, clock: Clock) -> None:
    answered(vitals)
    clock.now += PATIENCE + 1
    vitals.called("claim_job", Answer.NONE, 10.0)
    assert readiness(vitals) == (503, "unreachable")
    assert vitals.startup().status == 200
    answered(vitals)
    assert readiness(vitals) == (200, "degraded")


def test_a_worker_that_drains_is_not_ready_whatever_else_is_true(vitals: Vitals) -> None:
    answered(vitals)
    vitals.listener_entered(ListenerState.READY)
    vitals.drain_began()
    assert readiness(vitals) == (503, "draining")
    assert vitals.live().status == 200


def test_a_loop_that_no_longer_ticks_is_dead(vitals: Vitals, clock: Clock) -> None:
    clock.now += 1000
    assert vitals.live().status == 200  # an application may take its time to open
    vitals.loop_ticked(0.0)
    clock.now += TICK_PATIENCE_SECONDS + 1
    assert (vitals.live().status, vitals.live().body["status"]) == (503, "stuck")
    vitals.loop_ticked(0.0)
    assert vitals.live().status == 200
