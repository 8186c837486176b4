"""Results that nobody measured, for tests of what is made of them."""

from __future__ import annotations

from analysis_bench.results import Failure, Measurement, Results


def results(*measurements: Measurement, failures: tuple[Failure, ...] = ()) -> Results:
    return Results(
        began="2026-01-01T00:00:00+00:00",
        command="analysis-bench",
        preset="standard",
        machine={"processor": "a processor", "cores": "2"},
        versions={"python": "3.13.0"},
        settings={"fsync": "on"},
        missing={"oban": "needs Python 3.12 or later; this is 3.11.7"},
        measurements=list(measurements),
        failures=list(failures),
    )


def rounds(scenario: str, system: str, value: str, *numbers: float, case: str = "") -> list[Measurement]:
    return [
        Measurement(scenario=scenario, system=system, case=case, round=number, values={value: found})
        for number, found in enumerate(numbers)
    ]
