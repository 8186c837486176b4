import math
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxnutrition.contracts.health import Direction, Measurement, Series, SeriesKind, Target
from maxnutrition.prompts.findings import describe, invented_numbers
from maxnutrition.prompts.trends import MEASURES, trend_of, warnings_of, written

START = date(2026, 3, 1)


def series_of(
    *values: float, kind: SeriesKind = "weight_kg", every_days: int = 7, target: Target | None = None
) -> Series:
    points = [Measurement(on=START + timedelta(days=n * every_days), value=v) for n, v in enumerate(values)]
    return Series(kind=kind, points=points, target=target)


def test_a_straight_line_is_found_whatever_the_order_of_its_points() -> None:
    series = series_of(82, 81.5, 81, 80.5)
    shuffled = series.model_copy(update={"points": series.points[::-1]})
    trend = trend_of(shuffled)
    assert (trend.slope_per_week, trend.direction, trend.count) == (-0.5, "falling", 4)
    assert (trend.first, trend.last, trend.change) == (82, 80.5, -1.5)
    assert (trend.minimum, trend.maximum, trend.mean) == (80.5, 82, 81.25)
    assert (trend.first_on, trend.last_on) == (date(2026, 3, 1), date(2026, 3, 22))


@pytest.mark.parametrize(
    ("values", "direction"),
    [
        ((80.0,), "unknown"),
        ((80.0, 90.0), "unknown"),
        ((80.0, 80.0, 80.0), "steady"),
        ((80.0, 80.1, 80.2), "steady"),
        ((80.0, 86.0, 79.0, 87.0, 80.0), "steady"),
        ((80.0, 81.0, 83.0, 84.0), "rising"),
    ],
)
def test_a_direction_needs_enough_points_and_a_slope_that_stands_out(
    values: tuple[float, ...], direction: Direction
) -> None:
    assert trend_of(series_of(*values)).direction == direction


def test_points_of_one_day_have_no_slope() -> None:
    trend = trend_of(series_of(120, 130, 125, kind="systolic_mmhg", every_days=0))
    assert (trend.slope_per_week, trend.direction) == (None, "unknown")


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 1e6)), min_size=3, max_size=40))
def test_the_slope_is_that_of_least_squares(data: list[tuple[int, float]]) -> None:
    points = [Measurement(on=START + timedelta(days=day), value=value) for day, value in data]
    trend = trend_of(Series(kind="steps", points=points))
    if trend.slope_per_week is None:
        assert len({day for day, _ in data}) == 1
        return
    n = len(data)
    sx, sy = sum(x for x, _ in data), sum(y for _, y in data)
    sxx, sxy = sum(x * x for x, _ in data), sum(x * y for x, y in data)
    expected = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    assert math.isclose(trend.slope_per_week, expected * 7, rel_tol=1e-6, abs_tol=0.02)


def test_outside_counts_by_the_own_target_only() -> None:
    target = Target(low=70, high=99, source="printed")
    assert trend_of(series_of(95, 101, 68, kind="glucose_mg_dl", target=target)).outside_target == 2
    assert trend_of(series_of(300, 301, 302, kind="glucose_mg_dl")).outside_target is None


@pytest.mark.parametrize(
    ("kind", "value", "urgent"),
    [
        ("systolic_mmhg", 180, True),
        ("systolic_mmhg", 179, False),
        ("diastolic_mmhg", 120, True),
        ("glucose_mg_dl", 53.9, True),
        ("glucose_mg_dl", 54, False),
        ("weight_kg", 300, False),
    ],
)
def test_a_latest_value_that_should_not_wait_says_so(kind: SeriesKind, value: float, urgent: bool) -> None:
    warnings = warnings_of([series_of(100, value, kind=kind)])
    assert bool(warnings) == urgent
    assert all(warning.startswith("Procure atendimento") for warning in warnings)


def test_an_old_value_that_should_not_have_waited_is_history() -> None:
    assert warnings_of([series_of(190, 120, kind="systolic_mmhg")]) == []


def test_numbers_are_written_as_brazilians_do() -> None:
    assert written(12345.0, MEASURES["steps"]) == "12.345 passos"
    assert written(81.0, MEASURES["weight_kg"]) == "81 kg"
    assert written(81.25, MEASURES["weight_kg"]) == "81,2 kg"
    assert written(100.0, MEASURES["heart_rate_bpm"]) == "100 bpm"


def test_a_trend_is_told_with_its_target() -> None:
    series = series_of(82.4, 81.9, 81.1, target=Target(high=80, source="user"))
    assert describe([trend_of(series)], [series]) == (
        "Peso: 3 medidas de 01/03/2026 a 15/03/2026. Última: 81,1 kg (−1,3 kg desde a primeira). "
        "Mínimo 81,1 kg, máximo 82,4 kg, média 81,8 kg. Tendência de queda (cerca de 0,65 kg por semana). "
        "Sua meta: até 80 kg; fora dela: 3 de 3."
    )


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("Seu peso foi de 81,1 kg em 15/03/2026.", []),
        ("Você deu 12.345 passos, ou 12345.", []),
        ("Em 2 semanas, 81.10 kg.", []),
        ("O ideal é abaixo de 99 mg/dL.", ["99"]),
        ("Caiu 1,5 kg, quase 2%.", ["1,5"]),
        ("Ligue 192.", []),
    ],
)
def test_numbers_that_nobody_measured_are_found(text: str, invented: list[str]) -> None:
    assert invented_numbers(text, "Peso 81,1 kg em 15/03/2026; 12.345 passos") == invented
