"""What was measured, as it is kept: the raw numbers of every round, from which the page is made again at any time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from analysis_bench.statistics import Spread, spread


class Measurement(BaseModel):
    """One round of one case. `values` by the name of what was measured, with its unit at the end."""

    scenario: str
    system: str
    case: str = ""
    round: int = 0
    values: dict[str, float] = {}
    samples: list[float] = []


class Failure(BaseModel):
    """A number that could not be had, and why: the system has no such thing, or something went wrong."""

    scenario: str
    system: str
    case: str = ""
    round: int = 0
    reason: str


class Results(BaseModel):
    began: str
    command: str
    preset: str
    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str]
    missing: dict[str, str] = {}
    minutes: float = 0.0
    measurements: list[Measurement] = []
    failures: list[Failure] = []

    @classmethod
    def load(cls, path: Path) -> Results:
        return cls.model_validate_json(path.read_text())

    def save(self, path: Path) -> None:
        """Whole or not at all, since it is written again after every step of a run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(self.model_dump_json(indent=1) + "\n")
        new.replace(path)

    @property
    def rounds(self) -> int:
        """How many were measured, in part at least."""
        return max((each.round for each in self.measurements), default=-1) + 1

    def continued(self, later: Results) -> Results:
        """To be gone on with. Raises ValueError unless the later run is of the same systems, settings and preset."""
        for name in ("preset", "versions", "settings"):
            if getattr(self, name) != getattr(later, name):
                raise ValueError(f"{name} differ from those of the former run")
        known = [each for each in self.failures if each.round < self.rounds]
        return self.model_copy(update={"command": f"{self.command}; {later.command}", "failures": known})

    def add(self, found: Measurement | Failure) -> None:
        match found:
            case Measurement():
                self.measurements.append(found)
            case Failure():
                self.failures.append(found)

    def of(self, scenario: str, system: str, case: str = "") -> Iterator[Measurement]:
        wanted = (scenario, system, case)
        return (each for each in self.measurements if (each.scenario, each.system, each.case) == wanted)

    def cases(self, scenario: str) -> list[str]:
        """In the order in which they were measured first."""
        return list(dict.fromkeys(each.case for each in self.measurements if each.scenario == scenario))

    def spread(self, scenario: str, system: str, value: str, case: str = "") -> Spread | None:
        values = [each.values[value] for each in self.of(scenario, system, case) if value in each.values]
        return spread(values) if values else None

    def median(self, scenario: str, system: str, value: str, case: str = "") -> float | None:
        found = self.spread(scenario, system, value, case)
        return found.median if found else None

    def samples(self, scenario: str, system: str, case: str = "") -> list[float]:
        return [sample for each in self.of(scenario, system, case) for sample in each.samples]
