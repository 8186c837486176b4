"""Runs the evaluations and prints their scores and every failure."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from maxnutrition.evaluate.score import MODULES, TimedScore, run_evaluation

EXIT_NOT_RUN = 2


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Which: {', '.join(MODULES)}. Default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Exit codes: 0 all ran, whatever their score, 2 an evaluation is not known or could not run."""
    wanted = names or list(MODULES)
    scores: list[TimedScore] = []
    problems: list[str] = []
    for name in wanted:
        if name not in MODULES:
            problems.append(f"{name}: there is no such evaluation")
            continue
        try:
            scores.extend(run_evaluation(name))
        except ImportError as error:
            problems.append(f"{name}: could not run: {error}")
    if as_json:
        document = {"scores": [_document(timed) for timed in scores], "not_run": problems}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _print(scores)
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    if problems:
        raise typer.Exit(EXIT_NOT_RUN)


def _document(timed: TimedScore) -> dict[str, object]:
    score = timed.score
    return {
        "name": score.name,
        "cases": score.cases,
        "right": score.right,
        "score": round(score.share, 4),
        "seconds": round(timed.seconds, 3),
        "failures": list(score.failures),
    }


def _print(scores: list[TimedScore]) -> None:
    typer.echo(f"{'name':<34}{'cases':>7}{'right':>7}{'score':>8}{'seconds':>9}")
    for timed in scores:
        score = timed.score
        typer.echo(f"{score.name:<34}{score.cases:>7}{score.right:>7}{score.share:>8.1%}{timed.seconds:>9.2f}")
    for timed in scores:
        for failure in timed.score.failures:
            typer.echo(f"\n{timed.score.name}: {failure}")


if __name__ == "__main__":
    typer.run(main)
