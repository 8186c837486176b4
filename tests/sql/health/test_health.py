"""Healthy or not: what is measured, what it means, and that it neither lags nor flaps."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.sql.factories import ERROR, Queue, call
from tests.sql.flags.states import health, new_worker, set_health, set_settings

WELL = {"healthy": True, "why": None}
LONG_AGO = "1 hour"


def check(queue: Queue) -> tuple[bool, str | None]:
    """As a user is told."""
    answer = call(queue.user(uuid4()), "get_flags")
    return answer["healthy"], answer["why"]


def new_attempts(queue: Queue, endings: str, started: str = "1 minute", type: str = "medical_exam") -> None:
    """One ended attempt of a job of its own for each letter: c(ompleted), f(ailed), l(ost), e(xpired), d(eferred)."""
    queue.owner.execute(
        """
        with ending as (
            select gen_random_uuid() as id, now() - %(started)s::interval as started_at,
                case letter when 'c' then 'completed' when 'f' then 'failed' when 'l' then 'lost'
                    when 'e' then 'expired' when 'd' then 'deferred' end as outcome
            from string_to_table(%(endings)s, null) as letter
        ),
        job as (
            insert into public.analysis_jobs (
                id, type, input, status, error, attempt, scheduled_at, started_at, finished_at
            )
            select id, %(type)s, '{}', 'failed', '{"code": "c", "message": "m"}', 1, started_at, started_at, now()
            from ending
        )
        insert into public.analysis_attempts (job_id, lease_id, attempt, worker_id, started_at, finished_at, outcome)
        select id, id, 1, 'w1', started_at, started_at + interval '5 seconds', outcome from ending
        """,
        {"started": started, "endings": endings, "type": type},
    )


@pytest.fixture
def well(queue: Queue) -> Queue:
    """A living worker, a stored good state that every call looks at anew, and a job type with a flag."""
    new_worker(queue)
    set_settings(queue, check_seconds=0)
    set_health(queue, **WELL, changed_at=LONG_AGO, checked_at=LONG_AGO)
    return queue


def test_a_new_queue_is_not_trusted_until_it_has_shown_that_it_works(queue: Queue) -> None:
    assert check(queue) == (False, "recovering")
    set_settings(queue, check_seconds=0)
    assert check(queue) == (False, "no_worker")


def test_all_well_is_healthy_without_a_reason(well: Queue) -> None:
    assert check(well) == (True, None)
    stored = health(well)
    assert (stored["workers"], stored["wait_seconds"], stored["attempts"], stored["error_rate"]) == (1, None, 0, None)


def test_a_worker_past_its_lease_is_noticed_by_whoever_asks_though_the_stored_row_says_well(queue: Queue) -> None:
    new_worker(queue)
    queue.silence("w1", 60)
    set_health(queue, **WELL, checked_at="6 seconds")
    assert check(queue) == (False, "no_worker")
    assert (health(queue)["healthy"], health(queue)["workers"]) == (False, 0)


def test_a_fresh_check_is_believed_and_nothing_is_written(queue: Queue) -> None:
    set_settings(queue, check_seconds=60)
    set_health(queue, **WELL, checked_at="10 seconds")
    before = health(queue)
    assert check(queue) == (True, None)
    assert health(queue) == before


def test_a_check_from_the_future_is_not_believed(queue: Queue) -> None:
    set_health(queue, **WELL, checked_at="-1 hour")
    assert check(queue) == (False, "no_worker")


@pytest.mark.parametrize(("waited", "expected"), [(29, (True, None)), (31, (False, "long_wait"))])
def test_a_claimable_job_may_wait_for_thirty_seconds(
    well: Queue, waited: int, expected: tuple[bool, str | None]
) -> None:
    well.new_job()
    well.owner.execute("update public.analysis_queue set position = now() - make_interval(secs => %s)", [waited])
    assert check(well) == expected
    assert waited <= health(well)["wait_seconds"] < waited + 1


@pytest.mark.parametrize("priority", [-10, 10])
def test_a_wait_is_told_without_what_the_priority_moved_it_by(well: Queue, priority: int) -> None:
    well.new_job(priority=priority)
    assert check(well) == (True, None)
    assert 0 <= health(well)["wait_seconds"] < 5


def test_a_new_job_in_front_does_not_hide_an_old_one(well: Queue) -> None:
    well.new_job()
    well.owner.execute("update public.analysis_queue set position = now() - interval '50 seconds'")
    well.new_job(priority=10)
    assert check(well) == (False, "long_wait")


def test_a_job_that_is_due_and_that_nobody_noticed_counts(well: Queue) -> None:
    well.new_job(scheduled_at="2100-01-01")
    assert check(well) == (True, None)
    well.owner.execute("update public.analysis_queue set position = now() - interval '40 seconds'")
    assert check(well) == (False, "long_wait")


def test_who_waits_behind_jobs_of_their_own_waits_for_themselves(well: Queue) -> None:
    user_id = well.new_user()
    for _ in range(2):
        well.new_job(user_id=user_id)
    well.owner.execute("update public.analysis_queue set position = now() - interval '1 hour' where state = 'waiting'")
    assert check(well) == (True, None)


@pytest.mark.parametrize("policy", [{}, {"flag_key": "sofia", "paused": True}])
def test_types_without_another_way_and_paused_ones_do_not_count(well: Queue, policy: dict[str, Any]) -> None:
    well.new_type("echo", **policy)
    well.new_job(type="echo")
    well.owner.execute("update public.analysis_queue set position = now() - interval '1 hour'")
    new_attempts(well, "f" * 100, type="echo")
    assert check(well)[1] != "long_wait"
    assert health(well)["wait_seconds"] is None
    assert health(well)["attempts"] == (100 if policy else 0)


@pytest.mark.parametrize(
    ("endings", "expected"),
    [
        ("c" * 16 + "ffle", (True, None)),
        ("c" * 15 + "fflle", (False, "errors")),
        ("f" * 19, (True, None)),
        ("c" * 16 + "ffle" + "d" * 20, (True, None)),
        ("f" * 19 + "d" * 20, (True, None)),
    ],
    ids=["at the limit", "above", "too few", "deferred ones aside", "too few but for deferred ones"],
)
def test_too_many_failed_attempts_are_unhealthy(well: Queue, endings: str, expected: tuple[bool, str | None]) -> None:
    new_attempts(well, endings)
    assert check(well) == expected
    ended = endings.replace("d", "")
    assert health(well)["attempts"] == len(ended)
    assert health(well)["error_rate"] == pytest.approx(1 - ended.count("c") / len(ended))


def test_a_failure_that_the_worker_reports_counts(well: Queue) -> None:
    set_settings(well, min_attempts=1)
    job_id, lease_id = well.new_claimed_job()
    call(well.worker(), "fail_job", job_id=job_id, lease_id=lease_id, error=ERROR, retryable=True, delay_seconds=3600)
    assert check(well) == (False, "errors")


def test_what_failed_before_the_window_does_not_count(well: Queue) -> None:
    new_attempts(well, "f" * 100, started="6 minutes")
    assert check(well) == (True, None)


def test_what_failed_before_the_master_switch_was_thrown_does_not_count(well: Queue) -> None:
    new_attempts(well, "f" * 100)
    assert check(well) == (False, "errors")
    call(well.worker(), "roll_back")
    call(well.worker(), "enable_flag", key="all")
    assert check(well) == (False, "recovering")
    assert health(well)["attempts"] == 0


def test_times_are_from_due_to_end_of_completed_jobs(well: Queue) -> None:
    new_attempts(well, "c" * 19 + "f")
    well.owner.execute(
        "update public.analysis_attempts as attempt set finished_at = started_at + make_interval(secs => numbered.n)"
        " from (select job_id, row_number() over () as n from public.analysis_attempts where outcome = 'completed')"
        " as numbered where numbered.job_id = attempt.job_id"
    )
    check(well)
    assert health(well)["p95_seconds"] == pytest.approx(19)


def test_health_comes_back_only_after_so_long_without_a_bad_check(well: Queue) -> None:
    well.silence("w1", 60)
    assert check(well) == (False, "no_worker")
    new_worker(well)
    assert check(well) == (False, "recovering")
    set_health(well, good_since="29 seconds")
    assert check(well) == (False, "recovering")
    set_health(well, good_since="30 seconds")
    assert check(well) == (True, None)
    assert (health(well)["good_since"], health(well)["no_worker_since"]) == (None, None)


def test_one_bad_check_starts_the_recovery_anew(well: Queue) -> None:
    set_health(well, healthy=False, why="recovering", good_since="29 seconds")
    well.silence("w1", 60)
    assert check(well) == (False, "no_worker")
    new_worker(well)
    assert check(well) == (False, "recovering")
    set_health(well, checked_at=LONG_AGO)
    assert check(well) == (False, "recovering")


def test_a_worker_that_comes_and_goes_does_not_make_clients_change_sides(well: Queue) -> None:
    seen = []
    for _ in range(5):
        well.silence("w1", 60)
        seen.append(check(well)[0])
        new_worker(well)
        seen.append(check(well)[0])
    assert seen == [False] * 10


def test_the_time_of_the_change_is_kept(well: Queue) -> None:
    since = health(well)["changed_at"]
    check(well)
    assert health(well)["changed_at"] == since
    well.silence("w1", 60)
    check(well)
    bad_since = health(well)["changed_at"]
    assert bad_since > since
    new_worker(well)
    check(well)
    assert health(well)["changed_at"] == bad_since


def test_everybody_gets_the_truth_at_once_while_somebody_else_stores_it(well: Queue) -> None:
    well.silence("w1", 60)
    storing = well.session("service_role")
    with storing.transaction():
        assert call(storing, "check_health")["why"] == "no_worker"
        assert health(well)["healthy"] is True
        assert check(well) == (False, "no_worker")
        assert health(well)["healthy"] is True
    assert health(well)["healthy"] is False


def test_checks_rewrite_the_row_in_place(well: Queue) -> None:
    session = well.user(uuid4())
    call(session, "get_flags")
    size = "select pg_relation_size('public.analysis_health')"
    before = well.owner.execute(size).fetchone()
    for _ in range(200):
        call(session, "get_flags")
    assert well.owner.execute(size).fetchone() == before


def test_check_health_says_all_that_was_measured(well: Queue) -> None:
    answer = call(well.worker(), "check_health")
    assert answer == {name: value for name, value in health(well).items() if name != "id"}
    assert answer["healthy"] is True
