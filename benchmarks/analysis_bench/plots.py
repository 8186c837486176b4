"""The plots of the page, as SVG: ours in one colour, peers in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis_bench.results import Results
from analysis_bench.systems import SYSTEMS, System

OURS, PEER, MUTED = "#0f766e", "#94a3b8", "#475569"


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar for each system; `form` writes the number at its end."""

    scenario: str
    value: str
    case: str
    title: str
    form: str


_BARS = {
    "drain.svg": Bars("drain", "jobs_per_second", "", "No-op jobs a second, one worker", "{:,.0f}"),
    "sleepers.svg": Bars(
        "sleepers", "overhead_percent", "500 at a time", "500 jobs of 1 s at a time: overhead, %", "{:.1f}"
    ),
    "idle.svg": Bars("idle", "statements_per_minute", "", "Statements a minute of an idle worker", "{:,.0f}"),
}


def write_plots(results: Results, folder: Path) -> list[str]:
    """Names of the files that there were numbers for."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "analysis-bench", "font.size": 9})
    figures = {"pickup.svg": pickup(results)} | {name: bars(results, each) for name, each in _BARS.items()}
    known = {name: figure for name, figure in figures.items() if figure is not None}
    for name, figure in known.items():
        figure.savefig(folder / name, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return list(known)


def bars(results: Results, wanted: Bars) -> Figure | None:
    """Medians, with a line from the least to the most of the rounds."""
    found = [(each, results.spread(wanted.scenario, each.name, wanted.value, wanted.case)) for each in SYSTEMS]
    known = [(system, spread) for system, spread in found if spread is not None]
    if not known:
        return None
    figure, axes = _canvas([system for system, _ in known])
    for place, (system, spread) in enumerate(known):
        axes.barh(place, spread.median, color=OURS if system.is_ours else PEER, height=0.62)
        axes.plot([spread.low, spread.high], [place, place], color=MUTED, linewidth=1.2)
        axes.annotate(
            wanted.form.format(spread.median), (spread.high, place), (4, 0), textcoords="offset points", va="center"
        )
    axes.set_title(wanted.title, loc="left", fontweight="bold")
    axes.margins(x=0.12)
    return figure


def pickup(results: Results) -> Figure | None:
    """p50 as a dot and p95 as the end of its line, for each rate at one worker."""
    cases = [case for case in results.cases("pickup") if case.endswith(" 1 worker")]
    systems = [each for each in SYSTEMS if any(results.spread("pickup", each.name, "p50_ms", case) for case in cases)]
    if not systems:
        return None
    figure, axes = _canvas(systems)
    for number, case in enumerate(cases):
        offset = (number - (len(cases) - 1) / 2) * 0.24
        for place, system in enumerate(systems):
            middle = results.median("pickup", system.name, "p50_ms", case)
            late = results.median("pickup", system.name, "p95_ms", case)
            if middle is None or late is None:
                continue
            color = OURS if system.is_ours else MUTED
            axes.plot([max(middle, 0.1), max(late, 0.1)], [place + offset] * 2, color=color, linewidth=1.2)
            axes.plot(max(middle, 0.1), place + offset, marker="osD"[number % 3], color=color, markersize=5)
    for number, case in enumerate(cases):
        axes.plot([], [], marker="osD"[number % 3], color=MUTED, linewidth=0, label=case.removesuffix(", 1 worker"))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=len(cases), frameon=False)
    axes.set_title("Pickup with one worker, ms: p50 (mark) to p95 (end of the line)", loc="left", fontweight="bold")
    return figure


def _canvas(systems: Sequence[System]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.6, 0.36 * len(systems) + 1.1), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(range(len(systems)), [system.title for system in systems])
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    return figure, axes
