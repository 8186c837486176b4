"""Measurements in numbers, so that a model has none left to compute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from maxnutrition.contracts.health import Direction, Measurement, Series, SeriesKind, Target, Trend

_FEWEST_POINTS = 3
_STEADY_SHARE = 0.01
"""Of the mean, over the whole time: less is no trend anybody should hear of."""


@dataclass(frozen=True, slots=True)
class Measure:
    name: str
    unit: str
    decimals: int


MEASURES: dict[SeriesKind, Measure] = {
    "weight_kg": Measure("Peso", "kg", 1),
    "body_fat_percent": Measure("Gordura corporal", "%", 1),
    "waist_cm": Measure("Cintura", "cm", 1),
    "systolic_mmhg": Measure("Pressão sistólica", "mmHg", 0),
    "diastolic_mmhg": Measure("Pressão diastólica", "mmHg", 0),
    "glucose_mg_dl": Measure("Glicose", "mg/dL", 0),
    "heart_rate_bpm": Measure("Frequência cardíaca", "bpm", 0),
    "steps": Measure("Passos", "passos", 0),
    "active_minutes": Measure("Minutos ativos", "min", 0),
    "sleep_hours": Measure("Sono", "h", 1),
    "water_ml": Measure("Água", "ml", 0),
}

# Where waiting can harm: hypertensive crisis (Diretrizes Brasileiras de Hipertensão Arterial 2020: 180 and/or 120 mmHg)
# and level 2 hypoglycaemia (ADA, Standards of Care: below 54 mg/dL).
_NOT_BELOW: dict[SeriesKind, float] = {"glucose_mg_dl": 54}
_NOT_FROM: dict[SeriesKind, float] = {"systolic_mmhg": 180, "diastolic_mmhg": 120}


def trend_of(series: Series) -> Trend:
    points = sorted(series.points, key=lambda point: point.on)
    measure = MEASURES[series.kind]
    values = [point.value for point in points]
    slope, error = _line_through(points)
    days = (points[-1].on - points[0].on).days
    exact = measure.decimals + 1
    return Trend(
        kind=series.kind,
        name=measure.name,
        unit=measure.unit,
        count=len(points),
        first_on=points[0].on,
        last_on=points[-1].on,
        first=round(values[0], exact),
        last=round(values[-1], exact),
        change=round(values[-1] - values[0], exact),
        minimum=round(min(values), exact),
        maximum=round(max(values), exact),
        mean=round(fmean(values), exact),
        slope_per_week=None if slope is None else round(slope * 7, measure.decimals + 2),
        direction=_direction(slope, error, days, fmean(values)),
        outside_target=None if series.target is None else _outside(values, series.target),
    )


def warnings_of(series: Sequence[Series]) -> list[str]:
    """For the latest value of each series where it should not wait."""
    return [
        f"Procure atendimento: sua última medida de {MEASURES[one.kind].name.lower()} foi "
        f"{written(latest, MEASURES[one.kind])}, um valor que precisa ser visto por um profissional sem demora. "
        "Se você se sente mal, ligue 192 (SAMU)."
        for one in series
        if (latest := max(one.points, key=lambda point: point.on).value) < _NOT_BELOW.get(one.kind, -math.inf)
        or latest >= _NOT_FROM.get(one.kind, math.inf)
    ]


def written(value: float, measure: Measure) -> str:
    """As Brazilians write it: "1.234,5 kg", without decimals that say nothing."""
    digits = f"{value:,.{measure.decimals}f}".translate(str.maketrans(",.", ".,"))
    if "," in digits:
        digits = digits.rstrip("0").rstrip(",")
    return f"{digits} {measure.unit}"


def _line_through(points: Sequence[Measurement]) -> tuple[float | None, float]:
    """Slope per day of the least-squares line, None for one day, and its standard error, infinite for two points."""
    times = [float(point.on.toordinal()) for point in points]
    values = [point.value for point in points]
    middle, mean = fmean(times), fmean(values)
    spread = math.fsum((time - middle) ** 2 for time in times)
    if spread == 0:
        return None, math.inf
    slope = math.fsum((t - middle) * (v - mean) for t, v in zip(times, values, strict=True)) / spread
    if len(points) < _FEWEST_POINTS:
        return slope, math.inf
    rest = math.fsum((v - mean - slope * (t - middle)) ** 2 for t, v in zip(times, values, strict=True))
    return slope, math.sqrt(rest / (len(points) - 2) / spread)


def _direction(slope: float | None, error: float, days: int, mean: float) -> Direction:
    """A slope within two standard errors of none, or too small to matter, is steady."""
    if slope is None or math.isinf(error):
        return "unknown"
    if abs(slope) <= 2 * error or abs(slope) * days < _STEADY_SHARE * abs(mean):
        return "steady"
    return "rising" if slope > 0 else "falling"


def _outside(values: Sequence[float], target: Target) -> int:
    low = -math.inf if target.low is None else target.low
    high = math.inf if target.high is None else target.high
    return sum(not low <= value <= high for value in values)
