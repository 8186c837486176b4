"""What an evaluation says, and where the evaluations are.

Each module of `MODULES` has a function `evaluate()` that returns a `Score`, or several.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

MODULES = {
    "texts": "maxnutrition.evaluate.texts",
    "plans": "maxnutrition.evaluate.plans",
    "reports": "maxnutrition.evaluate.reports",
}


@dataclass(frozen=True, slots=True)
class Score:
    """`cases` were tried, `right` of them came out as they should; `failures` tells of the others."""

    name: str
    cases: int
    right: int
    failures: Sequence[str]

    @property
    def share(self) -> float:
        return self.right / self.cases if self.cases else 0.0


@dataclass(frozen=True, slots=True)
class TimedScore:
    """`seconds` are those of the whole evaluation that the score is of."""

    score: Score
    seconds: float


def run_evaluation(name: str) -> list[TimedScore]:
    """Raises ImportError where the evaluation, or something it needs, is not there."""
    module = importlib.import_module(MODULES[name])
    if not hasattr(module, "evaluate"):
        raise ImportError(f"{module.__name__} has no function evaluate")
    started = perf_counter()
    found: Score | Sequence[Score] = module.evaluate()
    seconds = perf_counter() - started
    return [TimedScore(score, seconds) for score in ([found] if isinstance(found, Score) else found)]
