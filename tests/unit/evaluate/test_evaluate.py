import json

import pytest
import typer
from typer.testing import CliRunner

from maxnutrition.evaluate.__main__ import main
from maxnutrition.evaluate.score import MODULES
from maxnutrition.evaluate.texts import evaluate, judge, read_cases
from maxnutrition.foods.meal_text.items import ParsedMeal
from maxnutrition.foods.meal_text.parser import MealTextParser
from maxnutrition.foods.table import core_foods

cli = typer.Typer()
cli.command()(main)


def test_at_least_sixty_meal_texts_are_read_as_a_person_would() -> None:
    assert len(read_cases("meal_texts.toml")) >= 60
    shares = {score.name: score.share for score in evaluate()}
    assert shares["texts: items and grams"] >= 0.95
    assert shares["texts: whole texts"] >= 0.95
    assert shares["unseen texts: items and grams"] >= 0.9


def test_every_expected_food_is_in_the_table() -> None:
    cases = [*read_cases("meal_texts.toml"), *read_cases("meal_texts_unseen.toml")]
    assert {food_id for case in cases for food_id in case.items if food_id not in core_foods()} == set()


def test_a_text_is_right_only_with_every_item_gram_and_leftover() -> None:
    [case, *_] = read_cases("meal_texts.toml")
    right = MealTextParser(core_foods()).parse(case.text)
    assert judge(case, right).right
    assert not judge(case, ParsedMeal(right.items[1:], ())).right
    assert not judge(case.model_copy(update={"leftovers": ["x"]}), right).right
    heavier = case.model_copy(update={"items": {name: grams * 1.12 for name, grams in case.items.items()}})
    assert judge(heavier, right).right_items == 0


def test_scores_and_failures_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "texts", "tests.unit.evaluate.toy")
    plain = CliRunner().invoke(cli, ["texts"])
    assert plain.exit_code == 0
    assert "75.0%" in plain.stdout
    assert "the fourth" in plain.stdout
    [document] = json.loads(CliRunner().invoke(cli, ["texts", "--json"]).stdout)["scores"]
    assert (document["name"], document["cases"], document["right"], document["score"]) == ("toy", 4, 3, 0.75)


def test_an_evaluation_that_cannot_run_is_told_and_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "reports", "tests.unit.evaluate")
    ran = CliRunner().invoke(cli, ["reports", "nonsense", "--json"])
    assert ran.exit_code == 2
    assert "has no function evaluate" in ran.output
    assert "nonsense: there is no such evaluation" in ran.output
