"""`analysis-worker foods`: look foods up, and take in more of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from maxnutrition.foods.importing import ImportFailedError, read_taco, write_foods
from maxnutrition.foods.search import FoodSearch, Match
from maxnutrition.foods.table import FoodFileError, load_foods

EXIT_NOT_FOUND = 1
EXIT_BAD_FILE = 2

foods = typer.Typer(help="The table of foods: search it, and add foods to it.", no_args_is_help=True)


@foods.command("import")
def import_foods(
    file: Annotated[Path, typer.Argument(help="TACO's food.csv with nutrients.csv beside it, or their directory.")],
    output: Annotated[Path, typer.Option(help="Where to write the foods.")] = Path("foods.json"),
) -> None:
    """Make a file of foods out of the whole TACO, for MAXNUTRITION_FOODS_FILE to name.

    Figures that are missing stay missing. Exit codes: 0 written, 2 a file cannot be read or written.
    """
    try:
        entries = read_taco(file)
        write_foods(entries, output)
        total = len(load_foods(output))
    except (ImportFailedError, FoodFileError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{output}: {error.strerror or error}")
    typer.echo(f"{len(entries)} foods written to {output}; with the core these make {total}.")


@foods.command("search")
def search_foods(
    text: Annotated[str, typer.Argument(help="What to look for, in Portuguese or English.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
    file: Annotated[Path | None, typer.Option("--foods", help="More foods, as `foods import` writes them.")] = None,
) -> None:
    """Find foods, whatever the accents, plurals and typos.

    Exit codes: 0 found, 1 nothing found, 2 the file of foods cannot be used.
    """
    try:
        found = FoodSearch(load_foods(file)).find(text, limit)
    except FoodFileError as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps([_document(match) for match in found], ensure_ascii=False, indent=2))
    for match in [] if as_json else found:
        kcal = match.food.per_100g.kcal
        energy = "kcal unknown" if kcal is None else f"{kcal:.0f} kcal/100 g"
        typer.echo(f"{match.score:.2f}  {match.food.name}  ({match.food.id}, {energy}, {match.food.source})")
    if not found:
        typer.echo(f"nothing found for {text!r}", err=True)
        raise typer.Exit(EXIT_NOT_FOUND)


def _document(match: Match) -> dict[str, object]:
    food = match.food
    return {
        "id": food.id,
        "name": food.name,
        "score": match.score,
        "matched": match.matched,
        "group": food.group,
        "kcal_per_100g": food.per_100g.kcal,
        "measures": dict(food.measures),
        "source": food.source,
    }


def _fail(problem: str) -> NoReturn:
    typer.echo(f"error: {problem}", err=True)
    raise typer.Exit(EXIT_BAD_FILE)
