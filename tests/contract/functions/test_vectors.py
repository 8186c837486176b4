"""The vectors that the TypeScript of the functions is held to are what the worker's Python says today."""

from __future__ import annotations

from tests.contract.functions.vectors import GUARD, MEALS, answered_guard, answered_meals, read

STALE = "run `python -m tests.contract.functions.vectors`"


def test_the_worker_still_says_of_words_what_the_vectors_say() -> None:
    vectors = read(GUARD)
    assert answered_guard(vectors) == vectors, STALE


def test_the_worker_still_says_of_meals_what_the_vectors_say() -> None:
    vectors = read(MEALS)
    assert answered_meals(vectors) == vectors, STALE


def test_the_vectors_hold_both_sides_of_every_rule() -> None:
    vectors = read(GUARD)
    assert {line for _, line in vectors["lines"]} == {"diagnosis", "prescription", "dose", None}
    assert {emergency for _, emergency in vectors["emergencies"]} == {"life", "body", None}
    assert len(vectors["lines"]) + len(vectors["emergencies"]) >= 120
