"""`python -m tests.chaos.soak_plot SAMPLES.csv PLOT.svg`: what a soak held, over time."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.chaos.samples import Sample, read_samples

_PANELS = {
    "memory, MiB": {"worker_mib": "worker", "stack_mib": "stack", "postgres_mib": "PostgreSQL, not shared"},
    "connections": {"postgres_connections": "to PostgreSQL", "realtime_connections": "to Realtime"},
    "open files": {"worker_files": "worker", "stack_files": "stack"},
    "threads": {"worker_threads": "worker", "stack_threads": "stack"},
}
_COLOURS = ("#0072b2", "#d55e00", "#009e73")


def draw(samples: list[Sample], file: Path) -> None:
    """An SVG of the same bytes for the same samples."""
    mpl.rcParams["svg.hashsalt"] = "soak"
    figure = Figure(figsize=(8, 8), layout="constrained")
    panels = figure.subplots(len(_PANELS), 1, sharex=True)
    minutes = [sample.seconds / 60 for sample in samples]
    for panel, (title, columns) in zip(panels, _PANELS.items(), strict=True):
        for colour, (column, label) in zip(_COLOURS, columns.items(), strict=False):
            panel.plot(minutes, [getattr(sample, column) for sample in samples], color=colour, label=label, lw=1)
        panel.set_ylim(bottom=0)
        panel.set_ylabel(title)
        panel.legend(loc="lower right", ncols=3, fontsize="small")
        panel.grid(alpha=0.3)
    panels[-1].set_xlabel("minutes")
    figure.savefig(file, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    draw(read_samples(Path(sys.argv[1])), Path(sys.argv[2]))
