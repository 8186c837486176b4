from pathlib import Path

import pytest

from analysis_bench.campaign import Choice
from analysis_bench.records import Records
from analysis_bench.scenarios import SCENARIOS
from analysis_bench.systems import SYSTEMS


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
