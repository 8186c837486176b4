"""The rollback that a check makes by itself: only where it was asked for, on record, and blamed on nobody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.sql.factories import Queue, call
from tests.sql.flags.states import audit, flag, health, new_worker, set_health, set_settings
from tests.sql.health.test_health import new_attempts


@pytest.fixture
def watched(queue: Queue) -> Queue:
    new_worker(queue)
    set_settings(queue, check_seconds=0, rolls_back=True)
    set_health(queue, healthy=True, why=None)
    call(queue.worker(), "enable_flag", key="sofia")
    queue.owner.execute("truncate public.analysis_audit")
    return queue


def get_flags(queue: Queue) -> Any:
    return call(queue.user(uuid4()), "get_flags")


def lose_all_workers(queue: Queue) -> None:
    queue.silence("w1", 3600)
    set_health(queue, no_worker_since="601 seconds")


def fail_some(queue: Queue) -> None:
    new_attempts(queue, "c" * 18 + "ff")


def slow_down(queue: Queue) -> None:
    new_attempts(queue, "c" * 20)
    queue.owner.execute("update public.analysis_attempts set finished_at = started_at + interval '31 seconds'")


CAUSES = [
    (lose_all_workers, "no worker since"),
    (fail_some, "10.0 % of 20 attempts failed"),
    (slow_down, "95th percentile of completed jobs is 31.0 s"),
]


@pytest.mark.parametrize(("cause", "reason"), CAUSES)
def test_what_passes_a_threshold_rolls_everything_back_for_the_caller_that_noticed(
    watched: Queue, cause: Any, reason: str
) -> None:
    assert get_flags(watched)["flags"]["sofia"]["async"] is True
    cause(watched)
    assert get_flags(watched)["flags"]["sofia"] == {"async": False, "reason": "all_off"}
    ((actor, action, details),) = audit(watched)
    assert (actor, action, details["key"]) == ("check_health", "roll_back", "all")
    assert details["reason"].startswith(reason)
    assert flag(watched, "all")["updated_by"] == "check_health"


@pytest.mark.parametrize(("cause", "reason"), CAUSES)
def test_it_is_off_by_default(watched: Queue, cause: Any, reason: str) -> None:
    set_settings(watched, rolls_back=False)
    cause(watched)
    get_flags(watched)
    assert (flag(watched, "all")["enabled"], audit(watched)) == (True, [])


def test_below_the_thresholds_nothing_happens(watched: Queue) -> None:
    watched.silence("w1", 3600)
    set_health(watched, no_worker_since="590 seconds")
    new_attempts(watched, "c" * 19 + "f")
    assert get_flags(watched)["why"] == "no_worker"
    assert health(watched)["error_rate"] == pytest.approx(0.05)
    assert flag(watched, "all")["enabled"] is True


def test_it_happens_once_and_stays_until_an_operator_undoes_it(watched: Queue) -> None:
    fail_some(watched)
    for _ in range(3):
        get_flags(watched)
    assert len(audit(watched)) == 1
    watched.owner.execute("truncate public.analysis_attempts")
    assert get_flags(watched)["flags"]["sofia"]["async"] is False


def test_what_an_operator_switched_on_again_is_not_rolled_back_for_what_was_before(watched: Queue) -> None:
    fail_some(watched)
    get_flags(watched)
    call(watched.worker(), "enable_flag", key="all")
    assert get_flags(watched)["flags"]["sofia"]["async"] is True
    new_attempts(watched, "f" * 20, started="0")
    assert get_flags(watched)["flags"]["sofia"]["async"] is False


def test_a_reader_that_may_not_write_rolls_nothing_back(watched: Queue) -> None:
    fail_some(watched)
    session = watched.user(uuid4())
    session.execute("set default_transaction_read_only = on")
    assert call(session, "get_flags")["flags"]["sofia"]["async"] is True
    assert flag(watched, "all")["enabled"] is True
