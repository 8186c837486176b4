"""The queue against its contract: whatever happens, in whatever order, with transactions that overlap."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.databases import Databases
from tests.sql.machine.machine import play
from tests.sql.machine.world import World, opened_world


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    with databases.copied("migrated") as name, opened_world(databases, name) as world:
        yield world


@pytest.mark.timeout(7200)
def test_the_queue_keeps_its_contract_whatever_four_sessions_do(world: World) -> None:
    soaking = settings.get_current_profile_name() == "soak"
    play(world, settings.get_profile("soak" if soaking else "brief"))
