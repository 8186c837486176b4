"""How a soak tells what grows."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from tests.chaos.samples import Sample, growth_of, read_samples, sampling
from tests.chaos.soak_plot import draw
from tests.chaos.waiting import wait_until

COLUMNS = [field.name for field in fields(Sample)]


def sample(seconds: float, **columns: float) -> Sample:
    return Sample(**(dict.fromkeys(COLUMNS, 10.0) | columns | {"seconds": seconds}))


def growing(samples: list[Sample]) -> set[str]:
    return {growth.column for growth in growth_of(samples) if not growth.is_flat}


@pytest.mark.parametrize("column", COLUMNS[1:])
def test_what_grows_is_named(column: str) -> None:
    leak = [sample(at, **{column: 10 + at / 20}) for at in range(90)]
    assert growing(leak) == {column}


def test_a_peak_that_passes_is_no_growth() -> None:
    peaks = [sample(at, worker_mib=200 if at % 30 > 20 else 80, postgres_connections=at % 3) for at in range(90)]
    assert growing(peaks) == set()


def test_samples_are_written_until_the_end_and_can_be_drawn(tmp_path: Path) -> None:
    seen = iter([sample(1), None, sample(2, worker_mib=81.5)])
    file = tmp_path / "soak.csv"
    with sampling(file, lambda _: next(seen, None), every_s=0.01):
        wait_until("two samples", lambda: len(file.read_text().splitlines()) == 3, 5)
    assert read_samples(file) == [sample(1), sample(2, worker_mib=81.5)]
    draw(read_samples(file), tmp_path / "one.svg")
    draw(read_samples(file), tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert "<svg" in (tmp_path / "one.svg").read_text()
