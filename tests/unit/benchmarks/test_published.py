from pathlib import Path

import pytest

from analysis_bench.cli import PAGE, RESULTS
from analysis_bench.page import render_page
from analysis_bench.results import Results

_PLOTS = PAGE.with_suffix("")


@pytest.mark.skipif(not RESULTS.exists(), reason="nothing was measured yet")
def test_the_page_is_the_one_that_its_numbers_make() -> None:
    plots = sorted(path.name for path in _PLOTS.iterdir())
    assert PAGE.read_text() == render_page(Results.load(RESULTS), plots, _PLOTS.name)


def test_results_and_page_lie_in_the_checkout() -> None:
    root = Path(__file__).parents[3]
    assert root / "benchmarks" / "results" / "latest.json" == RESULTS
    assert root / "docs" / "benchmarks.md" == PAGE
