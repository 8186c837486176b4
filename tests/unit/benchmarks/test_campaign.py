from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from analysis_bench import campaign
from analysis_bench.arena import Arena
from analysis_bench.campaign import Choice, run_rounds
from analysis_bench.plan import QUICK, Plan
from analysis_bench.records import Records
from analysis_bench.results import Failure, Measurement
from analysis_bench.scenarios import SCENARIOS, Scenario
from analysis_bench.systems import SYSTEMS, System
from tests.unit.benchmarks.made_up import results, rounds

_ARENA = cast(Arena, None)  # for scenarios that need none


def test_nothing_chosen_is_everything() -> None:
    choice = Choice.parse("")
    assert all(map(choice.has, SCENARIOS))
    assert choice.of(SYSTEMS) == list(SYSTEMS)


def test_scenarios_and_systems_can_be_chosen() -> None:
    choice = Choice.parse("drain,claim cost/saq,oban")
    assert [scenario.name for scenario in SCENARIOS if choice.has(scenario)] == ["drain", "claim cost"]
    assert [system.name for system in choice.of(SYSTEMS)] == ["oban", "saq"]


@pytest.mark.parametrize("text", ["drian", "/sqa", "saq/drain"])
def test_a_choice_of_something_unknown_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        Choice.parse(text)


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    records = Records(tmp_path)
    file = tmp_path / "123"
    file.write_text("s 1 10.5\ns 2 1")
    records.look()
    assert dict(records.starts) == {"1": [10.5]}
    with file.open("a") as more:
        more.write("1.5\nc 1 12\n")
    records.look()
    assert dict(records.starts) == {"1": [10.5], "2": [11.5]}
    assert records.times["c"] == {"1": [12.0]}
    assert records.workers == {"1": 123, "2": 123}


def test_waiting_ends_when_all_came_or_patience_ends(tmp_path: Path) -> None:
    records = Records(tmp_path)
    (tmp_path / "1").write_text("s 1 1\n")
    assert records.wait("s", ["1"], 5)
    assert not records.wait("s", ["1", "2"], 0)


def test_scenarios_have_names_of_their_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)


def measure_name(arena: Arena, system: System, plan: Plan) -> Iterator[Measurement]:
    del arena, plan
    if system.name == "saq":
        raise OSError("it broke")
    yield Measurement(scenario="names", system=system.name)


def measure_all(arena: Arena, systems: Sequence[System], plan: Plan) -> Iterator[Measurement]:
    del arena, plan
    yield Measurement(scenario="all", system=systems[0].name)


def test_one_that_fails_leaves_the_others_alone_and_who_begins_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios = (Scenario("names", measure_name), Scenario("all", measure_together=measure_all, rounds=1))
    monkeypatch.setattr(campaign, "SCENARIOS", scenarios)
    systems = Choice.parse("/saq,oban,pg-boss").of(SYSTEMS)
    found = list(run_rounds(replace(QUICK, rounds=2), Choice(), _ARENA, systems))
    assert [(each.round, each.scenario, each.system) for each in found] == [
        (0, "names", "oban"),
        (0, "names", "saq"),
        (0, "names", "pg-boss"),
        (0, "all", "oban"),
        (1, "names", "saq"),
        (1, "names", "pg-boss"),
        (1, "names", "oban"),
    ]
    assert [each.reason for each in found if isinstance(each, Failure)] == ["OSError: it broke"] * 2


def test_what_there_is_no_time_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "SCENARIOS", (Scenario("names", measure_name),))
    (found,) = run_rounds(replace(QUICK, minutes=-1), Choice(), _ARENA, list(SYSTEMS))
    assert isinstance(found, Failure)
    assert found.reason == "no time for round 1"


def test_rounds_go_on_where_those_of_a_former_run_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = replace(SCENARIOS[0], name="names", measure=measure_name, measure_together=None, rounds=1)
    monkeypatch.setattr(campaign, "SCENARIOS", [scenario])
    found = list(run_rounds(replace(QUICK, rounds=2), Choice(), _ARENA, list(SYSTEMS[:2]), first_round=3))
    assert [(each.system, each.round) for each in found] == [(SYSTEMS[1].name, 3), (SYSTEMS[0].name, 3)]


def test_a_run_is_gone_on_with_only_by_one_of_the_same_systems() -> None:
    former = results(*rounds("drain", "saq", "jobs_per_second", 1, 2))
    again = former.continued(results())
    assert (again.rounds, again.command) == (2, f"{former.command}; {results().command}")
    with pytest.raises(ValueError, match="versions"):
        former.continued(results().model_copy(update={"versions": {"saq": "0"}}))
