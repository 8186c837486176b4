"""The page of a run, made from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis_bench.goals import PICKUP_CASE, judge
from analysis_bench.plan import PRESETS
from analysis_bench.plots import write_plots
from analysis_bench.results import Results
from analysis_bench.standings import standings
from analysis_bench.systems import SYSTEMS
from analysis_bench.tables import NOTHING, TEXT, Column, cell, failures, markdown, table

_OURS = [system for system in SYSTEMS if system.is_ours]


def write_page(results: Results, page: Path) -> None:
    """Plots go to a folder beside it that has its name."""
    folder = page.with_suffix("")
    page.write_text(render_page(results, write_plots(results, folder), folder.name))


def render_page(results: Results, plots: Sequence[str], folder: str) -> str:
    environment = Environment(
        loader=PackageLoader("analysis_bench", "."),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown of our own numbers
    )
    view = _View(results, plots, folder)
    names = [name for name in dir(view) if not name.startswith("_")]
    return environment.get_template("page.md.jinja").render({name: getattr(view, name) for name in names})


@dataclass(frozen=True)
class _View:
    """What the template shows, by the names that it has there."""

    results: Results
    _plots: Sequence[str]
    _folder: str

    def plot(self, name: str, alt: str) -> str:
        return f"![{alt}]({self._folder}/{name})" if name in self._plots else ""

    def footnotes(self, scenario: str) -> str:
        return "".join(f"\n- {reason}" for reason in failures(self.results, scenario)) + "\n"

    @property
    def plan(self) -> object:
        return PRESETS[self.results.preset]

    @property
    def goals(self) -> str:
        rows = [[goal.text, goal.measured, goal.verdict] for goal in judge(self.results)]
        return markdown(["goal", "measured", ""], rows, TEXT)

    @property
    def standings(self) -> str:
        found = standings(self.results)
        rows = [[each.discipline.title, each.best, each.doorbell, each.direct, each.place] for each in found]
        return markdown(["", "best", "ours, doorbell", "ours, direct", "our place"], rows, TEXT)

    @property
    def lost(self) -> list[object]:
        return [each for each in standings(self.results) if each.lost]

    @property
    def pickup_p50(self) -> str:
        return table(self.results, "pickup", [Column(case, "p50_ms", case) for case in self.results.cases("pickup")])

    @property
    def pickup_p95(self) -> str:
        return table(self.results, "pickup", [Column(case, "p95_ms", case) for case in self.results.cases("pickup")])

    @property
    def arrival(self) -> str:
        return table(self.results, "arrival", [Column(case, "p50_ms", case) for case in self.results.cases("arrival")])

    @property
    def cost_alone(self) -> str:
        columns = [
            Column("statements a job", "statements_per_job", PICKUP_CASE),
            Column("WAL a job, bytes", "wal_bytes_per_job", PICKUP_CASE, digits=0),
        ]
        return table(self.results, "pickup", columns)

    @property
    def drain(self) -> str:
        columns = [
            Column("jobs/s", "jobs_per_second", digits=0),
            Column("statements a job", "statements_per_job", digits=2),
            Column("WAL a job, bytes", "wal_bytes_per_job", digits=0),
            Column("worker's CPU a job, ms", "worker_cpu_ms_per_job", digits=2),
            Column("whole pages a job, bytes", "wal_page_bytes_per_job", digits=0),
        ]
        return table(self.results, "drain", columns)

    @property
    def sleepers(self) -> str:
        cases = self.results.cases("sleepers")
        return table(self.results, "sleepers", [Column(case, "overhead_percent", case) for case in cases])

    @property
    def enqueue(self) -> str:
        values = {"p50, ms": "p50_ms", "p95, ms": "p95_ms", "most, ms": "max_ms"}
        case = next(iter(self.results.cases("enqueue")), "")
        return table(self.results, "enqueue", [Column(title, value, case) for title, value in values.items()])

    @property
    def idle(self) -> str:
        columns = [
            Column("statements a minute", "statements_per_minute", digits=0),
            Column("requests a minute", "requests_per_minute", digits=1),
            Column("share of a core, %", "cpu_percent", digits=2),
            Column("memory, MiB", "rss_mib", digits=0),
        ]
        return table(self.results, "idle", columns)

    @property
    def faults(self) -> str:
        columns = [("recovery", "seconds", 1), ("cancel", "p50_ms", 0), ("fairness", "wait_ms", 0)]
        columns += [("fairness", "jobs_before", 0)]
        rows = []
        for system in SYSTEMS:
            found = [cell(self.results.spread(name, system.name, value), digits) for name, value, digits in columns]
            if any(each != NOTHING for each in found):
                rows.append([system.title, *found])
        return markdown(["", "recovery, s", "cancel p50, ms", "other user waits, ms", "jobs before it"], rows)

    @property
    def claims(self) -> str:
        jobs = PRESETS[self.results.preset].claimed
        title = f"claims a job: {jobs.jobs:,} jobs arrive at 10 workers, {jobs}"
        return table(self.results, "claims", [Column(title, "claims_per_job", digits=2)], _OURS)

    @property
    def claim_cost(self) -> str:
        rows = [
            [
                case,
                *(
                    cell(self.results.spread("claim cost", "ours-direct", value, case), 1)
                    for value in ("p50_ms", "p95_ms")
                ),
            ]
            for case in self.results.cases("claim cost")
        ]
        return markdown(["settled jobs", "p50", "p95"], rows)

    @property
    def machine(self) -> str:
        return markdown(["machine", ""], list(self.results.machine.items()), TEXT)

    @property
    def versions(self) -> str:
        return markdown(["", "version"], sorted(self.results.versions.items()), TEXT)

    @property
    def settings(self) -> str:
        rows = [[f"`{name}`", each] for name, each in self.results.settings.items()]
        return markdown(["setting of PostgreSQL", ""], rows, TEXT)

    @property
    def systems(self) -> str:
        return markdown(["", "how"], [[system.title, system.about] for system in SYSTEMS], TEXT)
