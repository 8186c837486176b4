"""A whole run: rounds over all scenarios, in each of which the systems take turns."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from analysis_bench.arena import Arena
from analysis_bench.environment import Environment, machine
from analysis_bench.plan import Plan
from analysis_bench.results import Failure, Measurement, Results
from analysis_bench.scenarios import SCENARIOS, Found, Scenario
from analysis_bench.server import measuring_server
from analysis_bench.systems import SYSTEMS, System

_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """Of scenarios and systems; empty means all."""

    scenarios: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Choice:
        """`scenario,…/system,…`, either of which may be left away. Raises ValueError for a name that nothing has."""
        scenarios, _, systems = text.partition("/")
        return cls(
            _known(scenarios, "scenario", [scenario.name for scenario in SCENARIOS]),
            _known(systems, "system", [system.name for system in SYSTEMS]),
        )

    def has(self, scenario: Scenario) -> bool:
        return not self.scenarios or scenario.name in self.scenarios

    def of(self, systems: Sequence[System]) -> list[System]:
        return [system for system in systems if not self.systems or system.name in self.systems]


def run(
    plan: Plan, choice: Choice, environment: Environment, keep: Callable[[Results], None], former: Results | None = None
) -> Results:
    """`keep` gets what there is after every step. Ctrl-C ends the run, and all that it started.

    Rounds go on where those of `former` ended. Raises ValueError where it was measured with something else.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="analysis-bench-logs-") as logs, measuring_server() as server:
        results = Results(
            began=datetime.now(UTC).isoformat(timespec="seconds"),
            command=" ".join(["analysis-bench", *sys.argv[1:]]),
            preset=plan.name,
            machine=machine(),
            versions=environment.versions,
            settings=server.settings(),
            missing=environment.missing,
        )
        if former is not None:
            results = former.continued(results)
        minutes, first = results.minutes, results.rounds
        systems = [system for system in choice.of(SYSTEMS) if environment.has(system)]
        for found in run_rounds(plan, choice, Arena(server, environment, Path(logs)), systems, first):
            results.add(found)
            results.minutes = minutes + (time.monotonic() - began) / _MINUTE_S
            keep(results)
    return results


def run_rounds(plan: Plan, choice: Choice, arena: Arena, systems: list[System], first_round: int = 0) -> Found:
    """Who begins changes from round to round. What there is no time for is said."""
    began = time.monotonic()
    spent: dict[str, float] = {}
    for number in range(first_round, first_round + plan.rounds):
        chosen = [scenario for scenario in SCENARIOS if choice.has(scenario) and number - first_round < scenario.rounds]
        first = number % max(1, len(systems))
        for scenario in chosen:
            scenario_began = time.monotonic()
            if scenario_began - began + spent.get(scenario.name, 0.0) > plan.minutes * _MINUTE_S:
                yield Failure(scenario=scenario.name, system="", round=number, reason=f"no time for round {number + 1}")
                continue
            for found in _measured(scenario, arena, systems[first:] + systems[:first], plan):
                found.round = number
                yield found
            spent[scenario.name] = time.monotonic() - scenario_began
            say(f"--- {scenario.name}, round {number + 1}: {spent[scenario.name]:.0f} s")


def _measured(scenario: Scenario, arena: Arena, systems: Sequence[System], plan: Plan) -> Found:
    if scenario.measure_together is not None:
        yield from _guarded(scenario.name, "", partial(scenario.measure_together, arena, systems, plan))
    if scenario.measure is not None:
        for system in systems:
            yield from _guarded(scenario.name, system.name, partial(scenario.measure, arena, system, plan))


def _guarded(scenario: str, system: str, measure: Callable[[], Found]) -> Found:
    """One that fails leaves the others alone."""
    began = time.monotonic()
    try:
        for found in measure():
            say(f"{_clock(began)} {scenario} / {found.system}: {_told(found)}")
            yield found
    except Exception as error:  # noqa: BLE001 - whatever a peer does
        failure = Failure(scenario=scenario, system=system, reason=f"{type(error).__name__}: {error}")
        say(f"{_clock(began)} {scenario} / {system}: {failure.reason}")
        yield failure


def _told(found: Measurement | Failure) -> str:
    match found:
        case Failure():
            return f"— {found.reason}"
        case Measurement():
            return f"{found.case} " + ", ".join(f"{name} {value:.4g}" for name, value in found.values.items())


def _clock(began: float) -> str:
    return f"[{time.monotonic() - began:5.1f} s]"


def _known(text: str, kind: str, known: Sequence[str]) -> frozenset[str]:
    names = frozenset(filter(None, text.split(",")))
    if unknown := names - set(known):
        raise ValueError(f"{', '.join(sorted(unknown))}: not a {kind}; there are {', '.join(known)}")
    return names


def say(what: str) -> None:
    sys.stderr.write(what + "\n")
