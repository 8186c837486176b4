"""The user's own measurements in, their trends and words about them out. Code computes every number."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from maxnutrition.contracts.common import Contract

DISCLAIMER = (
    "Leitura automática das suas próprias medidas, apenas informativa. Não é diagnóstico nem prescrição e não "
    "substitui um profissional de saúde."
)

SeriesKind = Literal[
    "weight_kg",
    "body_fat_percent",
    "waist_cm",
    "systolic_mmhg",
    "diastolic_mmhg",
    "glucose_mg_dl",
    "heart_rate_bpm",
    "steps",
    "active_minutes",
    "sleep_hours",
    "water_ml",
]
Direction = Literal["rising", "falling", "steady", "unknown"]
Value = Annotated[float, Field(ge=0, le=1_000_000)]


class Measurement(Contract):
    on: date
    value: Value


class Target(Contract):
    """The user's own goal, or a range printed on a report of theirs; nothing else counts as out of range."""

    low: Value | None = None
    high: Value | None = None
    source: Literal["user", "printed"]

    @model_validator(mode="after")
    def has_a_bound(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("a target has a low or a high")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("low is over high")
        return self


class Series(Contract):
    """Points in any order, several a day as they come."""

    kind: SeriesKind
    points: Annotated[list[Measurement], Field(min_length=1, max_length=400)]
    target: Target | None = None


class Measurements(Contract):
    series: Annotated[list[Series], Field(min_length=1, max_length=11)]

    @model_validator(mode="after")
    def has_one_series_of_a_kind(self) -> Self:
        if len({series.kind for series in self.series}) != len(self.series):
            raise ValueError("two series of the same kind")
        return self


class HealthInsightsInput(Measurements):
    pass


class DrVitalInput(Measurements):
    question: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")] | None = None


class Trend(Contract):
    """One series in numbers.

    `change` is last minus first. `slope_per_week` is the least-squares line through all points, None where they are all
    of one day; `direction` is `unknown` below three points. `outside_target` is None where there is no target.
    """

    kind: SeriesKind
    name: str
    unit: str
    count: int
    first_on: date
    last_on: date
    first: float
    last: float
    change: float
    minimum: float
    maximum: float
    mean: float
    slope_per_week: float | None
    direction: Direction
    outside_target: int | None


class HealthInsightsResult(Contract):
    """`warnings` is what should not wait. `written_by` says whose words `text` is."""

    trends: list[Trend]
    text: str
    written_by: Literal["model", "template"]
    warnings: list[str]
    disclaimer: str
    prompt_version: str | None
    model: str | None


class DrVitalResult(Contract):
    """`emergency` says that the reply begins with where to find help. `model` is None where no model wrote it."""

    trends: list[Trend]
    reply: str
    emergency: bool
    warnings: list[str]
    disclaimer: str
    prompt_version: str
    model: str | None


EXAMPLE_INPUT: dict[str, Any] = {
    "series": [
        {
            "kind": "weight_kg",
            "points": [
                {"on": "2026-03-01", "value": 82.4},
                {"on": "2026-03-08", "value": 81.9},
                {"on": "2026-03-15", "value": 81.1},
            ],
            "target": {"high": 80, "source": "user"},
        }
    ]
}
EXAMPLE_DR_VITAL_INPUT: dict[str, Any] = {**EXAMPLE_INPUT, "question": "Estou no caminho certo?"}
_EXAMPLE_TREND: dict[str, Any] = {
    "kind": "weight_kg",
    "name": "Peso",
    "unit": "kg",
    "count": 3,
    "first_on": "2026-03-01",
    "last_on": "2026-03-15",
    "first": 82.4,
    "last": 81.1,
    "change": -1.3,
    "minimum": 81.1,
    "maximum": 82.4,
    "mean": 81.8,
    "slope_per_week": -0.65,
    "direction": "falling",
    "outside_target": 3,
}
EXAMPLE_RESULT: dict[str, Any] = {
    "trends": [_EXAMPLE_TREND],
    "text": "Peso: 3 medidas de 01/03/2026 a 15/03/2026. Última: 81,1 kg (−1,3 kg). Tendência de queda.",
    "written_by": "template",
    "warnings": [],
    "disclaimer": DISCLAIMER,
    "prompt_version": None,
    "model": None,
}
EXAMPLE_DR_VITAL_RESULT: dict[str, Any] = {
    "trends": [_EXAMPLE_TREND],
    "reply": "Seu peso caiu 1,3 kg em duas semanas, e a meta é 80 kg. O ritmo é constante: continue registrando.",
    "emergency": False,
    "warnings": [],
    "disclaimer": DISCLAIMER,
    "prompt_version": "dr_vital_reading.v1",
    "model": "gemini-3.5-flash-lite",
}
