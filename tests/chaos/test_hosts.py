"""Workers on hosts of their own, one of which loses its network in the middle of its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.hosts import Host, NoHostsError, running_hosts
from tests.chaos.invariants import assert_invariants, wait_until_settled
from tests.chaos.load import load
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import wait_until
from tests.chaos.ways import BOTH_WAYS, Way

JOBS, PER_SECOND = 300, 15
RESCUED_S, BACK_S, SETTLED_S = 15.0, 30.0, 60.0


@pytest.fixture
def hosts(way: Way) -> Iterator[list[Host]]:
    try:
        with running_hosts(3, way) as running:
            yield running
    except NoHostsError as error:
        pytest.skip(f"no hosts can be made here: {error}")


@pytest.fixture
def fleet(stack: ChaosStack, way: Way, hosts: list[Host], tmp_path: Path) -> Iterator[Fleet]:
    with running_fleet(tmp_path, stack, way) as fleet:
        fleet.start_on(hosts)
        fleet.wait_ready()
        yield fleet
        assert fleet.failures() == []


@BOTH_WAYS
def test_a_host_that_is_cut_off_loses_its_jobs_to_the_others_and_comes_back(
    stack: ChaosStack, hosts: list[Host], fleet: Fleet
) -> None:
    victim = fleet.workers[0]
    with load(stack, JOBS, PER_SECOND, seconds=0.5) as arriving:
        arriving.wait_for(0.2)
        wait_until("jobs on the host", lambda: _running_on(stack, victim.id), 10)
        hosts[0].pull_cable()
        held = _running_on(stack, victim.id)
        wait_until("its jobs rescued", lambda: not _running_on(stack, victim.id), RESCUED_S)
        claimed = len(victim.lines("claimed"))
        hosts[0].plug_cable()
        wait_until("it claims again", lambda: len(victim.lines("claimed")) > claimed, BACK_S)
    wait_until_settled(stack, arriving.ids, SETTLED_S)
    summary = assert_invariants(stack, arriving.ids, fleet.executions)
    print(f"{summary}; {len(held)} jobs ran on the host that was cut off")
    elsewhere = {line["job_id"] for worker in fleet.workers[1:] for line in worker.lines("claimed")}
    assert summary.outcomes["lost"] >= 1
    assert held & elsewhere, "nobody else ran what the host held"


def _running_on(stack: ChaosStack, worker_id: str) -> set[str]:
    statement = "select id::text from public.analysis_jobs where status = 'processing' and leased_by = %s"
    return {row["id"] for row in stack.query(statement, worker_id)}
