"""WebSockets that break between the workers and Realtime, in the ways that connections break."""

from __future__ import annotations

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered
from tests.chaos.proxy import FaultProxy
from tests.chaos.stack import ChaosStack

JOBS = 300
RECONCILE_S = 8
NOTICED_S = RECONCILE_S + 5.0
SLACK_S = 2.0


@pytest.mark.parametrize("cut", ["close", "reset"])
def test_a_websocket_that_is_cut_is_made_anew(
    cut: str, stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet
) -> None:
    distant_fleet.start(2)
    distant_fleet.wait_ready()
    with load(stack, JOBS, per_second=40) as arriving:
        for times_ready in (4, 6):
            assert getattr(proxy, cut)() == 2
            distant_fleet.wait_for(times_ready, "realtime", 15, state="ready")
    assert_recovered(stack, distant_fleet, arriving.ids, 1 + SLACK_S)


def test_a_websocket_whose_server_went_without_a_word_is_made_anew(
    stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet
) -> None:
    distant_fleet.start(1, RECONCILE_SECONDS=str(RECONCILE_S))
    distant_fleet.wait_ready()
    with load(stack, JOBS, per_second=30) as arriving:
        assert proxy.half_open() == 1
        distant_fleet.wait_for(1, "events missed", NOTICED_S)
    assert_recovered(stack, distant_fleet, arriving.ids, RECONCILE_S + SLACK_S)


def test_a_websocket_that_freezes_and_thaws_loses_nothing(
    stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet
) -> None:
    distant_fleet.start(1, RECONCILE_SECONDS=str(RECONCILE_S))
    distant_fleet.wait_ready()
    with load(stack, JOBS, per_second=30) as arriving:
        proxy.frozen = True
        distant_fleet.wait_for(1, "events missed", NOTICED_S)
        proxy.frozen = False
    assert_recovered(stack, distant_fleet, arriving.ids, RECONCILE_S + SLACK_S)


def test_a_slow_network_loses_nothing(stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet) -> None:
    proxy.latency_s = 0.1
    distant_fleet.start(2, CONCURRENCY="20")
    with load(stack, JOBS, per_second=40) as arriving:
        pass
    assert_recovered(stack, distant_fleet, arriving.ids, 1 + SLACK_S)
