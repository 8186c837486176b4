"""Connections between workers and the database that end, fall silent or stand still, with workers next to it."""

from __future__ import annotations

import psycopg
import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered
from tests.chaos.proxy import FaultProxy
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until
from tests.chaos.ways import NOTIFICATION

pytestmark = pytest.mark.parametrize("way", ["direct"], indirect=True)

JOBS = 300
RECONCILE_S = 8
NOTICED_S = RECONCILE_S + 5.0
CALL_S = 10.0
SLACK_S = 3.0
ALL = b""


def test_connections_that_the_server_ends_again_and_again_cost_no_job(stack: ChaosStack, fleet: Fleet) -> None:
    fleet.start(2)
    fleet.wait_ready()
    with load(stack, JOBS, per_second=40) as arriving:
        for times_ready in (4, 6, 8):
            assert _end_connections(stack) >= 2 * 3, "of the queue, of the heartbeats, of the listener"
            fleet.wait_for(times_ready, "listen", 15, state="ready")
    assert_recovered(stack, fleet, arriving.ids, 1 + SLACK_S)


def _end_connections(stack: ChaosStack) -> int:
    statement = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'analysis-worker'"
    with psycopg.connect(stack.postgres.url("supabase_admin"), autocommit=True) as connection:
        return len(connection.execute(statement).fetchall())


def test_a_listener_that_is_connected_and_hears_nothing_is_made_anew(
    stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet
) -> None:
    distant_fleet.start(1, RECONCILE_SECONDS=str(RECONCILE_S))
    distant_fleet.wait_ready()
    with load(stack, JOBS, per_second=30) as arriving:
        proxy.drops = NOTIFICATION
        distant_fleet.wait_for(1, "events missed", NOTICED_S)
        proxy.drops = None
    assert_recovered(stack, distant_fleet, arriving.ids, RECONCILE_S + SLACK_S)


def test_a_server_that_went_without_a_word_is_given_up_and_called_anew(
    stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet
) -> None:
    proxy.mark = ALL
    distant_fleet.start(2)
    distant_fleet.wait_ready()
    with load(stack, JOBS, per_second=20, seconds=0.1) as arriving:
        arriving.wait_for(0.1)
        assert proxy.half_open() >= 2 * 3
        distant_fleet.wait_for(2, "heartbeat failed", CALL_S + SLACK_S)
    assert_recovered(stack, distant_fleet, arriving.ids, CALL_S + SLACK_S)


def test_a_network_that_stands_still_and_goes_on_loses_nothing(
    stack: ChaosStack, proxy: FaultProxy, distant_fleet: Fleet
) -> None:
    """What was sent into the standstill arrives after it, when nobody waits for an answer any more."""
    proxy.mark = ALL
    distant_fleet.start(2)
    distant_fleet.wait_ready()
    with load(stack, JOBS, per_second=20, seconds=0.1) as arriving:
        arriving.wait_for(0.1)
        proxy.frozen = True
        distant_fleet.wait_for(2, "heartbeat failed", CALL_S + SLACK_S)
        wait_until("a claim given up", lambda: distant_fleet.lines("claim failed"), CALL_S)
        proxy.frozen = False
    assert_recovered(stack, distant_fleet, arriving.ids, 2 * CALL_S + SLACK_S)
