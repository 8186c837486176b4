"""The machine would notice: with any one fence taken out, a few short games find what it kept out."""

import pytest
from hypothesis import Phase, settings

from supabase_local.database import migrate, read_migrations
from tests.databases import MIGRATIONS, Databases
from tests.sql.machine.machine import play
from tests.sql.machine.model import Violation
from tests.sql.machine.mutations import MUTATIONS, Mutation
from tests.sql.machine.world import World, opened_world

BRIEF = settings(settings.get_profile("brief"), max_examples=100, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_the_machine_finds_a_missing_fence(databases: Databases, mutation: Mutation) -> None:
    migrations = mutation.apply(read_migrations(MIGRATIONS))
    with databases.copied("platform") as name:
        migrate(databases.url(name), migrations)
        with opened_world(databases, name) as world:
            assert finds_violation(world)


def finds_violation(world: World) -> bool:
    """Also one that depends on who is quicker, which Hypothesis does not see again and wraps into a group."""
    found = False
    try:
        play(world, BRIEF)
    except* Violation:
        found = True
    return found
