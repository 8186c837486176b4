"""A token that expires while workers run, behind a key that stays the same."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from supabase_local.keys import Keys, new_keys, sign
from tests.chaos.fleet import running_fleet
from tests.chaos.load import load
from tests.chaos.probes import assert_recovered
from tests.chaos.stack import chaos_stack

JOBS = 300
REFUSED = "realtime refused the key, polling until it takes it"
VALID_S = 14
SETTLED_S = 25.0


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="analysis-chaos-") as directory:
        path = Path(directory)
        path.chmod(0o711)
        yield path


def test_an_expired_token_costs_no_job(elsewhere: Path, tmp_path: Path) -> None:
    """The opaque key stays the same, and the token that it stands for ends: everything is refused from then on."""
    keys = new_keys()
    with ExitStack() as workers:
        _store(elsewhere, keys, VALID_S)
        with chaos_stack(elsewhere) as stack:
            fleet = workers.enter_context(running_fleet(tmp_path, stack))
            fleet.start(2)
            with load(stack, JOBS // 2, per_second=50) as before:
                pass
            fleet.wait_for(2, REFUSED, VALID_S + 5)
            with load(stack, JOBS // 2, per_second=100) as after:
                pass
            assert len(fleet.alive()) == 2
        _store(elsewhere, keys, 3600)
        with chaos_stack(elsewhere) as renewed:
            assert renewed.variables.api_url == fleet.reach["SUPABASE_URL"]
            assert_recovered(renewed, fleet, before.ids + after.ids, VALID_S + SETTLED_S)
        assert fleet.failures() == []


def _store(directory: Path, keys: Keys, seconds: float) -> None:
    """The keys of the stack that starts here next, its service token valid for so long."""
    claims = {"role": "service_role", "exp": int(time.time() + seconds)}
    timely = replace(keys, service_role_key=sign(claims, keys.jwt_secret))
    (directory / "keys.json").write_bytes(TypeAdapter(Keys).dump_json(timely))
