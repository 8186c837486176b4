import math

import pytest

from analysis_bench.statistics import Spread, quantile, spread


def test_a_quantile_is_a_sample_that_so_many_do_not_exceed() -> None:
    samples = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert quantile(samples, 0.5) == 3
    assert quantile(samples, 0.95) == 5
    assert quantile(samples, 0.2) == 1


def test_nothing_has_no_quantile() -> None:
    assert math.isnan(quantile([], 0.5))


def test_a_spread_is_median_least_and_most_of_the_rounds() -> None:
    assert spread([3.0, 9.0, 1.0]) == Spread(3.0, 1.0, 9.0, 3)


def test_no_rounds_have_no_spread() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        spread([])
