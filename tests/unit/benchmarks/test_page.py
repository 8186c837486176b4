from pathlib import Path

from analysis_bench.page import render_page, write_page
from analysis_bench.plots import write_plots
from analysis_bench.results import Failure, Results
from analysis_bench.tables import Column, table
from tests.unit.benchmarks.made_up import results, rounds

_CASE = "10/s, 1 worker"


def some_results() -> Results:
    return results(
        *rounds("drain", "ours-direct", "jobs_per_second", 900.0, 1000.0, 1200.0),
        *rounds("drain", "pgqueuer", "jobs_per_second", 2000.0),
        *rounds("pickup", "ours-direct", "p50_ms", 4.0, case=_CASE),
        *rounds("pickup", "ours-direct", "p95_ms", 8.0, case=_CASE),
        failures=(
            Failure(scenario="drain", system="saq", reason="did not start a job"),
            Failure(scenario="drain", system="saq", round=1, reason="did not start a job"),
            Failure(scenario="drain", system="oban", reason="did not start a job"),
        ),
    )


def test_a_table_shows_medians_and_what_they_lie_between() -> None:
    shown = table(some_results(), "drain", [Column("jobs/s", "jobs_per_second", digits=0)])
    assert shown.splitlines() == [
        "|  | jobs/s |",
        "| --- | ---: |",
        "| ours, direct | 1,000 (900–1,200) |",
        "| PGQueuer | 2,000 |",
    ]


def test_a_number_that_is_not_there_is_a_dash() -> None:
    columns = [Column("p50", "p50_ms", _CASE), Column("most", "max_ms", _CASE)]
    assert table(some_results(), "pickup", columns).endswith("| ours, direct | 4.0 | — |")


def test_the_page_says_who_failed_once_and_who_was_left_out() -> None:
    page = render_page(some_results(), [], "benchmarks")
    assert page.count("- SAQ, Oban (Python): did not start a job") == 1
    assert "- oban: needs Python 3.12" in page


def test_the_page_says_where_we_are_not_first_and_why() -> None:
    page = render_page(some_results(), [], "benchmarks")
    assert "| no-op drain | PGQueuer, 2,000 jobs/s | — | 1,000 jobs/s | 2 of 2 |" in page
    assert "Not first in no-op drain: " in page


def test_the_page_of_nothing_can_be_made(tmp_path: Path) -> None:
    write_page(results(), tmp_path / "empty.md")
    assert "# Benchmarks" in (tmp_path / "empty.md").read_text()


def test_plots_are_made_of_what_there_is_and_are_the_same_every_time(tmp_path: Path) -> None:
    assert write_plots(some_results(), tmp_path / "a") == ["pickup.svg", "drain.svg"]
    write_plots(some_results(), tmp_path / "b")
    for name in ("pickup.svg", "drain.svg"):
        content = (tmp_path / "a" / name).read_bytes()
        assert b"<svg" in content
        assert content == (tmp_path / "b" / name).read_bytes()


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    some_results().save(tmp_path / "results" / "kept.json")
    assert Results.load(tmp_path / "results" / "kept.json") == some_results()
