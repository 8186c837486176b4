"""How operators switch flags: at once, on record, and no user by name."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.sql.factories import Queue, Session, call, refused
from tests.sql.flags.states import KEYS, audit, flag


def get_flag(session: Session, key: str) -> Any:
    return call(session, "get_flags")["flags"][key]


def test_the_migrations_bring_every_feature_switched_off_and_the_master_switch_on(queue: Queue) -> None:
    rows = queue.owner.execute("select key, enabled, rollout_bps from public.analysis_flags order by key").fetchall()
    assert rows == [("all", True, 10000), *[(key, False, 10000) for key in KEYS]]


def test_a_flag_is_switched_for_the_very_next_call(queue: Queue) -> None:
    session, worker = queue.user(queue.new_user()), queue.worker()
    assert get_flag(session, "sofia") == {"async": False, "reason": "off"}
    answer = call(worker, "enable_flag", key="sofia", reason="ready")
    assert answer == {
        "key": "sofia",
        "enabled": True,
        "rollout_bps": 10000,
        "allow_users": 0,
        "deny_users": 0,
        "changed": True,
    }
    assert get_flag(session, "sofia") == {"async": True, "reason": "rolled_out"}
    assert get_flag(session, "exams") == {"async": False, "reason": "off"}
    call(worker, "disable_flag", key="sofia")
    assert get_flag(session, "sofia") == {"async": False, "reason": "off"}


def test_a_rollout_switches_on(queue: Queue) -> None:
    call(queue.worker(), "roll_out_flag", key="exams", rollout_bps=1000)
    stored = flag(queue, "exams")
    assert (stored["enabled"], stored["rollout_bps"], stored["updated_by"]) == (True, 1000, "service_role")


def test_disabling_keeps_the_share_for_the_next_time(queue: Queue) -> None:
    call(queue.worker(), "roll_out_flag", key="exams", rollout_bps=1000)
    call(queue.worker(), "disable_flag", key="exams")
    call(queue.worker(), "enable_flag", key="exams")
    assert flag(queue, "exams")["rollout_bps"] == 1000


def test_rolling_back_is_one_statement_for_everybody_and_enabling_all_is_the_way_back(queue: Queue) -> None:
    worker, listed = queue.worker(), queue.new_user()
    session = queue.user(listed)
    for key in KEYS:
        call(worker, "enable_flag", key=key)
    call(worker, "set_flag_users", key="sofia", allow_users=[listed])
    before = call(session, "get_flags")["flags"]
    assert {decision["async"] for decision in before.values()} == {True}
    answer = call(worker, "roll_back", reason="answers are wrong")
    assert (answer["key"], answer["enabled"], answer["changed"]) == ("all", False, True)
    off = {"async": False, "reason": "all_off"}
    assert call(session, "get_flags")["flags"] == dict.fromkeys(KEYS, off)
    call(worker, "enable_flag", key="all")
    assert call(session, "get_flags")["flags"] == before


def test_jobs_that_are_enqueued_are_finished_though_everything_is_switched_off(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    waiting = queue.new_job()
    call(queue.worker(), "roll_back")
    call(queue.worker(), "complete_job", job_id=job_id, lease_id=lease_id, result={})
    assert queue.job(job_id)["status"] == "completed"
    assert queue.new_claimed_job()[0] != waiting
    assert queue.job(waiting)["status"] == "processing"


def test_the_audit_says_who_changed_what_and_why(queue: Queue) -> None:
    operator, listed = uuid4(), queue.new_user()
    session = queue.session("service_role", operator)
    call(session, "roll_out_flag", key="exams", rollout_bps=1000, reason="first tenth")
    call(session, "set_flag_users", key="exams", allow_users=[listed])
    call(session, "roll_back", reason="answers are wrong")
    rows = audit(queue)
    assert [(actor, action, details["key"]) for actor, action, details in rows] == [
        (f"service_role {operator}", "roll_out_flag", "exams"),
        (f"service_role {operator}", "set_flag_users", "exams"),
        (f"service_role {operator}", "roll_back", "all"),
    ]
    off = {"enabled": False, "rollout_bps": 10000, "allow_users": 0, "deny_users": 0}
    on = {"enabled": True, "rollout_bps": 1000, "allow_users": 0, "deny_users": 0}
    assert rows[0][2] == {"key": "exams", "reason": "first tenth", "before": off, "after": on}
    assert rows[1][2]["after"] == on | {"allow_users": 1}
    assert str(listed) not in str(rows)
    assert flag(queue, "all")["updated_by"] == f"service_role {operator}"


def test_what_changes_nothing_leaves_no_entry(queue: Queue) -> None:
    before = flag(queue, "exams")
    assert call(queue.worker(), "disable_flag", key="exams")["changed"] is False
    assert (flag(queue, "exams"), audit(queue)) == (before, [])


def test_lists_are_replaced_one_by_one(queue: Queue) -> None:
    one, other = queue.new_user(), queue.new_user()
    call(queue.worker(), "set_flag_users", key="sofia", allow_users=[one], deny_users=[other])
    call(queue.worker(), "set_flag_users", key="sofia", deny_users=[])
    stored = flag(queue, "sofia")
    assert (stored["allow_users"], stored["deny_users"]) == ([str(one)], [])


@pytest.mark.parametrize(
    ("function", "arguments", "sqlstate", "message"),
    [
        ("enable_flag", {"key": "nothing"}, "PT404", "unknown flag"),
        ("disable_flag", {"key": None}, "PT404", "unknown flag"),
        ("roll_out_flag", {"key": "sofia", "rollout_bps": 10001}, "PT400", "rollout_bps"),
        ("roll_out_flag", {"key": "sofia", "rollout_bps": -1}, "PT400", "rollout_bps"),
        ("roll_out_flag", {"key": "sofia", "rollout_bps": None}, "PT400", "rollout_bps"),
        ("roll_out_flag", {"key": "all", "rollout_bps": 1000}, "PT400", "no share"),
        ("set_flag_users", {"key": "all", "allow_users": [uuid4()]}, "PT400", "no lists"),
        ("set_flag_users", {"key": "sofia", "allow_users": [uuid4()] * 1001}, "PT400", "1000 users"),
        ("enable_flag", {"key": "sofia", "reason": ""}, "PT400", "reason"),
        ("roll_back", {"reason": "x" * 501}, "PT400", "reason"),
    ],
)
def test_a_mistake_is_named_and_changes_nothing(
    queue: Queue, function: str, arguments: dict[str, Any], sqlstate: str, message: str
) -> None:
    before = queue.owner.execute("select * from public.analysis_flags order by key").fetchall()
    with refused(sqlstate, message):
        call(queue.worker(), function, **arguments)
    assert queue.owner.execute("select * from public.analysis_flags order by key").fetchall() == before
    assert audit(queue) == []


def test_nobody_is_on_both_lists(queue: Queue) -> None:
    user_id = queue.new_user()
    call(queue.worker(), "set_flag_users", key="sofia", allow_users=[user_id])
    with refused("PT400", "both lists"):
        call(queue.worker(), "set_flag_users", key="sofia", deny_users=[user_id])


def test_operators_see_every_flag_with_its_types_and_the_health(queue: Queue) -> None:
    call(queue.worker(), "roll_out_flag", key="exams", rollout_bps=2500)
    answer = call(queue.worker(), "describe_flags")
    assert [row["key"] for row in answer["flags"]] == ["all", *KEYS]
    (exams,) = [row for row in answer["flags"] if row["key"] == "exams"]
    assert (exams["enabled"], exams["rollout_bps"], exams["types"]) == (True, 2500, ["medical_exam"])
    assert exams["updated_by"] == "service_role"
    assert answer["health"]["healthy"] is False
