"""What the functions are given to answer with is what the worker answers with."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from maxnutrition.contracts.chat import UnifiedAssistantResult
from maxnutrition.contracts.sofia_image import EXAMPLE_RESULT, SofiaImageResult
from maxnutrition.foods.nutrients import NUTRIENT_NAMES, Nutrients
from maxnutrition.foods.table import core_foods
from maxnutrition.job_types import JOB_TYPES
from maxnutrition.prompts.emergencies import ADVICE
from maxnutrition.prompts.foods import SeenFoods
from maxnutrition.prompts.library import PromptName, load_prompt
from maxnutrition.sync_contracts import ChatAnswer, foods_text, guard_document, javascript_of, sync_of

EDGE = r"(?:(?<=[\p{L}\p{N}_])(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?=[\p{L}\p{N}_]))"
SPACE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def test_only_what_one_answer_of_a_model_makes_has_a_synchronous_way() -> None:
    assert {kind.name for kind in JOB_TYPES if sync_of(kind.name)} == {"unified_assistant", "sofia_image"}


def test_each_persona_has_the_workers_words_and_what_code_adds() -> None:
    sync = sync_of("unified_assistant")
    assert sync is not None
    for persona, name in (("sofia", PromptName.SOFIA), ("dr_vital", PromptName.DR_VITAL)):
        variant = sync["by"]["variants"][persona]
        assert variant["system"] == load_prompt(name).text
        said = {"reply": "Oi.", "suggestions": [], "emergency": False, "model": sync["model"]}
        result = UnifiedAssistantResult.model_validate(variant["fixed"] | said)
        assert (result.persona, result.prompt_version) == (persona, name.value)


def test_a_photo_is_asked_about_with_every_food_and_without_a_placeholder() -> None:
    sync = sync_of("sofia_image")
    assert sync is not None
    assert all(f"\n{food.id}: {food.name}\n" in sync["user_template"] for food in core_foods())
    assert "{{" not in sync["user_template"]
    SofiaImageResult.model_validate(EXAMPLE_RESULT | sync["fixed"])


def test_the_answers_fit_what_models_are_asked_for() -> None:
    answers = {
        "unified_assistant": ChatAnswer(reply="Oi.", suggestions=["Mais?"]),
        "sofia_image": SeenFoods(is_food=False, items=[], unlisted=[]),
    }
    for name, answer in answers.items():
        sync = sync_of(name)
        assert sync is not None
        jsonschema.validate(answer.model_dump(mode="json"), sync["response_schema"])


def test_no_environment_changes_what_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sync_of("sofia_image")
    monkeypatch.setenv("MAXNUTRITION_GEMINI_MODEL", "another")
    monkeypatch.setenv("MAXNUTRITION_PRICES", '{"another": {"input": 1, "cached_input": 1, "output": 1}}')
    assert sync_of("sofia_image") == before
    assert before is not None
    assert (before["model"], before["prices"]["input"]) == ("gemini-3.5-flash-lite", 0.3)


def test_the_exported_foods_are_the_table_with_unknown_apart_from_zero() -> None:
    document = json.loads(foods_text())
    assert tuple(document["nutrients"]) == NUTRIENT_NAMES
    read = [(food_id, name, Nutrients(*amounts)) for food_id, name, amounts in document["foods"]]
    assert read == [(food.id, food.name, food.per_100g) for food in core_foods()]
    assert None in {amount for *_, amounts in document["foods"] for amount in amounts}


def test_the_exported_rules_hold_the_advice_that_the_worker_gives() -> None:
    document = guard_document()
    assert list(document["advice"].values()) == list(ADVICE.values())
    assert (document["escapes"]["<"], document["escapes"]["&"]) == ("&lt;", "&amp;")


@pytest.mark.parametrize(
    ("pattern", "flags", "expected"),
    [
        (r"\bdor\b", 0, f"{EDGE}dor{EDGE}"),
        (r"a.b", 0, r"a[^\n]b"),
        (r"a.b", re.DOTALL, "a[^]b"),
        (r"^a$", 0, r"(?<![^])a(?=\n?(?![^]))"),
        (r"^a$", re.MULTILINE, r"(?<![^\n])a(?=\n|(?![^]))"),
        (r"\w\W\d", 0, r"[\p{L}\p{N}_][^\p{L}\p{N}_][\p{Nd}]"),
        (r"\s\S", 0, f"[{SPACE}][^{SPACE}]"),
        (r"[*_\s]+[^.!?\n]", 0, rf"[*_{SPACE}]+[^.!?\n]"),
        (r"(?:a|b){0,3}(?=c)(?!d)(?<=e)(?<!f)(\*)\1", 0, r"(?:a|b){0,3}(?=c)(?!d)(?<=e)(?<!f)(\*)\1"),
        (r"(?:is|[a-z0-9]õ)\b", re.IGNORECASE, f"(?:[iIİı][sSſ]|[a-zA-Zİıſ\u212a0-9][õÕ]){EDGE}"),
    ],
)
def test_an_expression_means_in_javascript_what_it_means_here(pattern: str, flags: int, expected: str) -> None:
    assert javascript_of(re.compile(pattern, flags)) == expected
