import pytest

from analysis_bench.goals import Goal, judge
from analysis_bench.results import Measurement, Results
from tests.unit.benchmarks.made_up import results, rounds

_CASE = "10/s, 1 worker"


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {(goal.met, goal.measured, goal.verdict) for goal in judge(results())} == {(None, "—", "not measured")}


@pytest.mark.parametrize(("pickup", "met"), [(5.9, True), (6.1, False)])
def test_pickup_is_judged_by_its_distance_from_the_bare_arrival(pickup: float, met: bool) -> None:
    found = results(
        *rounds("pickup", "ours-doorbell", "p50_ms", pickup, case=_CASE),
        *rounds("arrival", "ours-doorbell", "p50_ms", 1.0, case=_CASE),
    )
    assert _goal(found, "raw arrival").met is met


@pytest.mark.parametrize(("ours", "met"), [(3.0, True), (5.0, False)])
def test_pickup_has_to_be_below_the_best_of_the_peers(ours: float, met: bool) -> None:
    found = results(
        *rounds("pickup", "ours-doorbell", "p50_ms", ours, case=_CASE),
        *rounds("pickup", "saq", "p50_ms", 4.0, case=_CASE),
        *rounds("pickup", "oban", "p50_ms", 9.0, case=_CASE),
    )
    goal = _goal(found, "below every peer's")
    assert goal.met is met
    assert "SAQ 4 ms" in goal.measured


@pytest.mark.parametrize(("ours", "met"), [(300.0, True), (250.0, False)])
def test_a_drain_is_compared_with_the_fastest_of_those_named(ours: float, met: bool) -> None:
    found = results(
        *rounds("drain", "ours-doorbell", "jobs_per_second", ours),
        *rounds("drain", "procrastinate", "jobs_per_second", 100.0),
        *rounds("drain", "oban", "jobs_per_second", 260.0, 280.0, 300.0),
        *rounds("drain", "graphile-worker", "jobs_per_second", 1000.0),
    )
    assert _goal(found, "over HTTP").met is met


@pytest.mark.parametrize(
    ("name", "measured", "met"),
    [
        ("1.5 claims", rounds("claims", "ours-doorbell", "claims_per_job", 1.5), True),
        ("1.5 claims", rounds("claims", "ours-doorbell", "claims_per_job", 1.51), False),
        ("enqueue p95", rounds("enqueue", "ours-doorbell", "p95_ms", 19.9, case="50/s"), True),
        ("enqueue p95", rounds("enqueue", "ours-doorbell", "p95_ms", 20.0, case="50/s"), False),
        ("500 concurrent", rounds("sleepers", "ours-direct", "overhead_percent", 4.9, case="500 at a time"), True),
        ("500 concurrent", rounds("sleepers", "ours-direct", "overhead_percent", 5.0, case="500 at a time"), False),
    ],
)
def test_a_limit_is_a_limit(name: str, measured: list[Measurement], met: bool) -> None:
    assert _goal(results(*measured), name).met is met


@pytest.mark.parametrize(("large", "met"), [(15.0, True), (15.1, False)])
def test_claims_are_flat_where_the_largest_queue_takes_half_as_long_again(large: float, met: bool) -> None:
    found = results(
        *rounds("claim cost", "ours-direct", "p95_ms", 10.0, case="1,000 rows"),
        *rounds("claim cost", "ours-direct", "p95_ms", large, case="1,000,000 rows"),
    )
    assert _goal(found, "flat").met is met


@pytest.mark.parametrize(("ours", "met"), [(50.0, True), (70.0, False)])
def test_idle_cost_is_compared_with_those_that_only_poll(ours: float, met: bool) -> None:
    found = results(
        *rounds("idle", "ours-doorbell", "statements_per_minute", ours),
        *rounds("idle", "every-second", "statements_per_minute", 60.0),
        *rounds("idle", "pgqueuer", "statements_per_minute", 10.0),
    )
    assert _goal(found, "idle cost").met is met


def _goal(found: Results, text: str) -> Goal:
    (goal,) = [goal for goal in judge(found) if text in goal.text]
    return goal
