"""`analysis-bench`: measures this project and its peers on one PostgreSQL server, and makes a page of it."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from analysis_bench.environment import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "latest.json"
PAGE = ROOT / "docs" / "benchmarks.md"

app = typer.Typer(invoke_without_command=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def measure(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    context: typer.Context,
    rounds: Annotated[int | None, typer.Option(min=1, help="How often everything is measured.")] = None,
    minutes: Annotated[float | None, typer.Option(min=1, help="Nothing begins after them.")] = None,
    only: Annotated[str, typer.Option(metavar="SCENARIO/SYSTEM", help="E.g. drain, /saq, pickup,drain/oban.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Small numbers, to see that everything works.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="All rates, more rounds; hours.")] = False,
    python: Annotated[str | None, typer.Option(help="Interpreter for the systems in Python; 3.12 at least.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where the numbers go; without it they become the page.")] = None,
    more: Annotated[bool, typer.Option("--more", help="Add rounds to the numbers that are there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the numbers, too.")] = False,
) -> None:
    """Measure this project and its peers on one PostgreSQL server, and make a page of it.

    Progress goes to standard error; what there is, is kept after every step.

    Exit codes: 0 measured, 2 bad arguments, 130 interrupted.
    """
    if context.invoked_subcommand is not None:
        return
    from analysis_bench.campaign import Choice, run  # noqa: PLC0415 - not for --help
    from analysis_bench.environment import prepare  # noqa: PLC0415
    from analysis_bench.plan import PRESETS  # noqa: PLC0415
    from analysis_bench.results import Results  # noqa: PLC0415

    try:
        choice = Choice.parse(only)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from error
    plan = PRESETS["quick" if quick else "thorough" if thorough else "standard"]
    plan = replace(plan, rounds=rounds or plan.rounds, minutes=minutes or plan.minutes)
    target = output or RESULTS
    former = Results.load(target) if more and target.exists() else None
    try:
        results = run(plan, choice, prepare(python), lambda found: found.save(target), former)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--more") from error
    if output is None:
        render()
    if json:
        sys.stdout.write(results.model_dump_json(indent=1) + "\n")


@app.command()
def render(
    results: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The numbers.")] = RESULTS,
    page: Annotated[Path, typer.Option(dir_okay=False, help="Plots go to a folder of its name.")] = PAGE,
) -> None:
    """Make the page and its plots from the numbers again."""
    from analysis_bench.page import write_page  # noqa: PLC0415
    from analysis_bench.results import Results  # noqa: PLC0415

    write_page(Results.load(results), page)


def main() -> None:
    """A SIGTERM ends a run as Ctrl-C does: in order, with all that it started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()


if __name__ == "__main__":
    main()
