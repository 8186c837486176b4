"""get_flags: what is on for whom, and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from maxnutrition.job_types import JOB_TYPES
from tests.sql.factories import Queue, call, refused
from tests.sql.flags.states import KEYS, new_worker, set_health, set_settings


def new_user_in(queue: Queue, key: str, buckets: range) -> UUID:
    while (bucket := draw(queue, key, user_id := uuid4())) not in buckets:
        assert 0 <= bucket < 10000
    queue.owner.execute("insert into auth.users (id) values (%s)", [user_id])
    return user_id


def draw(queue: Queue, key: str, user_id: UUID) -> int:
    row = queue.owner.execute("select private.draw_bucket(%s, %s)", [key, user_id]).fetchone()
    assert row is not None
    bucket: int = row[0]
    return bucket


def decision(queue: Queue, user_id: UUID, key: str = "sofia") -> Any:
    return call(queue.user(user_id), "get_flags")["flags"][key]


def test_every_feature_is_decided_and_every_type_named_that_depends_on_one(queue: Queue) -> None:
    queue.new_type("meal", flag_key="sofia")
    queue.new_type("always")
    answer = call(queue.user(queue.new_user()), "get_flags")
    assert answer["flags"] == {key: {"async": False, "reason": "off"} for key in KEYS}
    assert answer["types"] == {kind.name: kind.flag for kind in JOB_TYPES} | {"meal": "sofia"}


def test_a_user_below_the_share_is_in_and_one_above_is_not(queue: Queue) -> None:
    low, high = new_user_in(queue, "sofia", range(3000)), new_user_in(queue, "sofia", range(3000, 10000))
    call(queue.worker(), "roll_out_flag", key="sofia", rollout_bps=3000)
    assert decision(queue, low) == {"async": True, "reason": "rolled_out"}
    assert decision(queue, high) == {"async": False, "reason": "not_yet"}


def test_the_share_ends_exactly_at_the_bucket(queue: Queue) -> None:
    user_id = new_user_in(queue, "sofia", range(1, 10000))
    bucket = draw(queue, "sofia", user_id)
    call(queue.worker(), "roll_out_flag", key="sofia", rollout_bps=bucket)
    assert decision(queue, user_id)["async"] is False
    call(queue.worker(), "roll_out_flag", key="sofia", rollout_bps=bucket + 1)
    assert decision(queue, user_id)["async"] is True


def test_lists_win_over_the_share(queue: Queue) -> None:
    allowed, denied = new_user_in(queue, "sofia", range(5000, 10000)), new_user_in(queue, "sofia", range(5000))
    call(queue.worker(), "roll_out_flag", key="sofia", rollout_bps=5000)
    call(queue.worker(), "set_flag_users", key="sofia", allow_users=[allowed], deny_users=[denied])
    assert decision(queue, allowed) == {"async": True, "reason": "allowed"}
    assert decision(queue, denied) == {"async": False, "reason": "denied"}
    call(queue.worker(), "roll_out_flag", key="sofia", rollout_bps=10000)
    assert decision(queue, denied) == {"async": False, "reason": "denied"}


def test_a_list_opens_nothing_that_is_switched_off(queue: Queue) -> None:
    user_id = queue.new_user()
    call(queue.worker(), "set_flag_users", key="sofia", allow_users=[user_id])
    assert decision(queue, user_id) == {"async": False, "reason": "off"}


def test_a_share_of_nothing_is_for_those_on_the_list(queue: Queue) -> None:
    listed, other = queue.new_user(), queue.new_user()
    call(queue.worker(), "set_flag_users", key="sofia", allow_users=[listed])
    call(queue.worker(), "roll_out_flag", key="sofia", rollout_bps=0)
    assert (decision(queue, listed)["async"], decision(queue, other)["async"]) == (True, False)


def test_a_service_without_a_user_gets_what_is_on_for_everybody(queue: Queue) -> None:
    call(queue.worker(), "roll_out_flag", key="sofia", rollout_bps=9999)
    call(queue.worker(), "enable_flag", key="exams")
    flags = call(queue.worker(), "get_flags")["flags"]
    assert flags["sofia"] == {"async": False, "reason": "not_yet"}
    assert flags["exams"] == {"async": True, "reason": "rolled_out"}


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_without_signing_in_there_are_no_flags(queue: Queue, role: str) -> None:
    with refused("PT401", "sign in"):
        call(queue.session(role), "get_flags")


def test_health_is_told_with_the_flags_and_changes_no_decision(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    call(queue.worker(), "enable_flag", key="sofia")
    set_settings(queue, check_seconds=0, recovery_seconds=0)
    sick = call(session, "get_flags")
    new_worker(queue)
    well = call(session, "get_flags")
    assert (sick["healthy"], sick["why"]) == (False, "no_worker")
    assert (well["healthy"], well["why"]) == (True, None)
    assert sick["flags"] == well["flags"]


def test_a_reader_that_may_not_write_is_told_the_truth_too(queue: Queue) -> None:
    session = queue.user(queue.new_user())
    session.execute("set default_transaction_read_only = on")
    new_worker(queue)
    set_health(queue, healthy=True, why=None, checked_at="1 hour")
    assert call(session, "get_flags")["healthy"] is True
    queue.silence("w1", 60)
    assert (call(session, "get_flags")["healthy"], call(session, "get_flags")["why"]) == (False, "no_worker")
