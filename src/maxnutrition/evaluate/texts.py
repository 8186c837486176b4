"""Meal texts: foods, grams (within 10 %) and what is reported as not understood."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from pydantic import BaseModel, ConfigDict

from maxnutrition.evaluate.score import Score
from maxnutrition.foods.meal_text.items import ParsedMeal
from maxnutrition.foods.meal_text.parser import MealTextParser
from maxnutrition.foods.table import core_foods

TOLERATED = 0.10
FILES = {"texts": "meal_texts.toml", "unseen texts": "meal_texts_unseen.toml"}


class MealCase(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    items: dict[str, float]
    leftovers: list[str] = []


class _Cases(BaseModel):
    meal: list[MealCase]


@dataclass(frozen=True, slots=True)
class CaseScore:
    """`items` counts the foods that were expected or found, `right_items` those that are both, with the right grams."""

    items: int
    right_items: int
    right: bool
    failure: str


def evaluate() -> list[Score]:
    parser = MealTextParser(core_foods())
    return [score for name, file in FILES.items() for score in _evaluate_file(parser, name, read_cases(file))]


def read_cases(file: str) -> list[MealCase]:
    text = (resources.files("maxnutrition.evaluate.cases") / file).read_text(encoding="utf-8")
    return _Cases.model_validate(tomllib.loads(text)).meal


def _evaluate_file(parser: MealTextParser, name: str, cases: list[MealCase]) -> list[Score]:
    judged = [judge(case, parser.parse(case.text)) for case in cases]
    failures = tuple(score.failure for score in judged if not score.right)
    items, right_items = sum(score.items for score in judged), sum(score.right_items for score in judged)
    return [
        Score(f"{name}: items and grams", items, right_items, ()),
        Score(f"{name}: whole texts", len(judged), sum(score.right for score in judged), failures),
    ]


def judge(case: MealCase, parsed: ParsedMeal) -> CaseScore:
    found: dict[str, float] = {}
    for item in parsed.items:
        found[item.food.id] = found.get(item.food.id, 0.0) + item.grams
    names = found.keys() | case.items.keys()
    wrong = sorted(name for name in names if not _is_near(found.get(name), case.items.get(name)))
    leftovers = [each.text for each in parsed.leftovers if each.reason == "not_understood"]
    told = len(leftovers) == len(case.leftovers) and all(
        any(wanted in leftover for leftover in leftovers) for wanted in case.leftovers
    )
    failure = f"{case.text!r}: wrong {wrong}, found {found}, expected {case.items}, left over {leftovers}"
    return CaseScore(len(names), len(names) - len(wrong), told and not wrong, failure)


def _is_near(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return False
    return abs(found - expected) <= TOLERATED * expected + 1e-6
