"""Makes a file of foods for `load_foods` out of TACO's tables.

TACO (Tabela Brasileira de Composição de Alimentos, NEPA/UNICAMP, 4th edition) is read as two CSV files side by side:
`food.csv` (id, categoryId, name) and `nutrients.csv` (foodId, kcal, protein, ...). An empty cell, "NA" and "*" are
unknown; "Tr", a trace, is 0.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from maxnutrition.foods.model import Group
from maxnutrition.foods.reading import GroupedEntry, NutrientsEntry

_GROUPS: Mapping[str, Group] = {
    "1": "cereals",
    "2": "vegetables",
    "3": "fruit",
    "4": "fats",
    "5": "fish",
    "6": "meat",
    "7": "dairy",
    "8": "drinks",
    "9": "eggs",
    "10": "sweets",
    "11": "seasonings",
    "12": "seasonings",
    "13": "dishes",
    "14": "legumes",
    "15": "nuts",
}
_COLUMNS = {
    "kcal": "kcal",
    "protein": "protein",
    "carbohydrates": "carbohydrate",
    "lipids": "fat",
    "dietaryFiber": "fibre",
    "sodium": "sodium",
    "calcium": "calcium",
    "iron": "iron",
    "vitaminC": "vitamin_c",
}
_UNKNOWN = frozenset({"", "NA", "*"})
_TRACE = "TR"
_MOST_PER_100G = 100_000.0
_FILE = TypeAdapter(dict[str, GroupedEntry])


class ImportFailedError(Exception):
    """The message names the file, the line and the column."""


@dataclass(frozen=True, slots=True)
class _Row:
    place: str
    cells: Mapping[str, str]


def read_taco(source: Path) -> dict[str, GroupedEntry]:
    """All foods of a directory, or of a `food.csv` with its `nutrients.csv` beside it. Raises ImportFailedError."""
    directory = source if source.is_dir() else source.parent
    names = directory / "food.csv" if source.is_dir() else source
    figures = _read_figures(directory / "nutrients.csv")
    foods: dict[str, GroupedEntry] = {}
    for row in _rows(names, ("id", "categoryId", "name")):
        number, name, group = row.cells["id"], row.cells["name"], _GROUPS.get(row.cells["categoryId"])
        if group is None:
            raise ImportFailedError(f"{row.place}: categoryId: {row.cells['categoryId']!r} is no category of TACO")
        if not number.isdecimal() or not 1 <= len(name) <= 120:
            raise ImportFailedError(f"{row.place}: needs a number as id and a name of 1 to 120 characters")
        if f"taco-{number}" in foods:
            raise ImportFailedError(f"{row.place}: id: {number} is there twice")
        alcohol = None if group == "drinks" else 0.0
        per_100g = figures.pop(number, NutrientsEntry()).model_copy(update={"alcohol": alcohol})
        foods[f"taco-{number}"] = GroupedEntry(name=name, group=group, source=f"TACO {number}", per_100g=per_100g)
    if figures:
        raise ImportFailedError(
            f"{names}: no food with the id {next(iter(figures))}, which nutrients.csv has figures of"
        )
    return foods


def write_foods(foods: Mapping[str, GroupedEntry], target: Path) -> None:
    """One JSON document. Raises OSError."""
    target.write_bytes(_FILE.dump_json(dict(foods), indent=1, exclude_defaults=True) + b"\n")


def _read_figures(path: Path) -> dict[str, NutrientsEntry]:
    figures: dict[str, NutrientsEntry] = {}
    for row in _rows(path, ("foodId", *_COLUMNS)):
        number = row.cells["foodId"]
        if number in figures:
            raise ImportFailedError(f"{row.place}: foodId: {number} is there twice")
        amounts = {ours: _amount(row, theirs) for theirs, ours in _COLUMNS.items()}
        figures[number] = NutrientsEntry(**amounts)
    return figures


def _amount(row: _Row, column: str) -> float | None:
    text = row.cells[column]
    if text.upper() in _UNKNOWN:
        return None
    if text.upper() == _TRACE:
        return 0.0
    try:
        amount = float(text.replace(",", "."))
    except ValueError as error:
        raise ImportFailedError(f"{row.place}: {column}: {text!r} is no number") from error
    if not 0 <= amount <= _MOST_PER_100G:
        raise ImportFailedError(f"{row.place}: {column}: {text} is not possible in 100 g")
    return amount


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            missing = [column for column in columns if column not in header]
            if missing:
                raise ImportFailedError(f"{path}, line 1: there is no column {missing[0]!r}")
            for cells in reader:
                place = f"{path}, line {reader.line_num}"
                if cells and len(cells) != len(header):
                    raise ImportFailedError(f"{place}: {len(cells)} cells under {len(header)} columns")
                if cells:
                    yield _Row(place, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    except OSError as error:
        raise ImportFailedError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportFailedError(f"{path}: is no CSV file in UTF-8: {error}") from error
