"""Trials of all systems at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TypeVar

from analysis_bench.results import Failure
from analysis_bench.systems import System
from analysis_bench.trial import Arena, Trial

_Begun = TypeVar("_Begun")


def begin_all(
    arena: Arena, systems: Sequence[System], scenario: str, stack: ExitStack, begin: Callable[[Trial], _Begun]
) -> Iterator[tuple[Trial, _Begun] | Failure]:
    """Those that began, with what `begin` returned. One that does not leaves the others alone."""
    for system in systems:
        try:
            trial = stack.enter_context(arena.trial(system))
            yield trial, begin(trial)
        except Exception as error:  # noqa: BLE001 - whatever a peer does
            yield Failure(scenario=scenario, system=system.name, reason=str(error))
