"""Trials of all systems at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from analysis_bench.arena import Arena
from analysis_bench.results import Failure
from analysis_bench.systems import System
from analysis_bench.trial import Trial

AT_ONCE = 4
_Begun = TypeVar("_Begun")


def begin_all(
    arena: Arena, systems: Sequence[System], scenario: str, stack: ExitStack, begin: Callable[[Trial], _Begun]
) -> Iterator[tuple[Trial, _Begun] | Failure]:
    """Those that began, with what `begin` returned. One that does not leaves the others alone."""

    def begin_one(system: System) -> tuple[Trial, _Begun] | Failure:
        try:
            trial = stack.enter_context(arena.trial(system))
            return trial, begin(trial)
        except Exception as error:  # noqa: BLE001 - whatever a peer does
            return Failure(scenario=scenario, system=system.name, reason=str(error))

    for system in systems:
        arena.prepare(system)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(begin_one, systems)
