"""A meal in words becomes foods and nutrients; a model, where there is one, is asked only for what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import anyio.to_thread

from analysis_worker import DeferredError, Handler, JobContext, PermanentError, RetryableError
from maxnutrition.contracts.sofia_text import SofiaTextInput, SofiaTextResult
from maxnutrition.foods.meal_text.items import Completer, Leftover, ParsedItem, ParsedMeal
from maxnutrition.foods.meal_text.parser import MealTextParser
from maxnutrition.foods.meal_text.report import report_meal
from maxnutrition.foods.table import FoodTable

_NO_MODEL = "A análise por IA do que não entendi não está configurada."
_MODEL_FAILED = "A análise por IA do que não entendi não respondeu; o resto da análise está completo."


async def read_meal_text(
    request: SofiaTextInput, context: JobContext, *, parser: MealTextParser, completer: Completer | None
) -> SofiaTextResult:
    await context.report_progress(0.1, "lendo")
    parsed = await anyio.to_thread.run_sync(parser.parse, request.text)
    open_texts = [leftover.text for leftover in parsed.leftovers if leftover.reason == "not_understood"]
    warnings: list[str] = []
    if open_texts:
        await context.report_progress(0.4, "interpretando")
        parsed, warnings = await _complete(parsed, open_texts, completer)
    context.log.bind(items=len(parsed.items), leftovers=len(parsed.leftovers)).info("meal text read")
    return report_meal(parsed, request.meal, warnings)


async def _complete(
    parsed: ParsedMeal, open_texts: list[str], completer: Completer | None
) -> tuple[ParsedMeal, list[str]]:
    """What the parser read stands, whatever becomes of the model."""
    if completer is None:
        return parsed, [_NO_MODEL]
    try:
        added = await completer.complete(open_texts)
    except (PermanentError, RetryableError, DeferredError):
        return parsed, [_MODEL_FAILED]
    still_open = tuple(leftover for leftover in parsed.leftovers if not _is_covered(leftover, added))
    return ParsedMeal((*parsed.items, *added), still_open), []


def _is_covered(leftover: Leftover, items: Sequence[ParsedItem]) -> bool:
    """Whether one of the items says where it comes from, and that is here."""
    if leftover.reason == "negated":
        return False
    return any(item.said and (item.said in leftover.text or leftover.text in item.said) for item in items)


def sofia_text(foods: FoodTable, completer: Completer | None = None) -> Handler[SofiaTextInput, SofiaTextResult]:
    return Handler(
        type="sofia_text",
        input=SofiaTextInput,
        result=SofiaTextResult,
        run=partial(read_meal_text, parser=MealTextParser(foods), completer=completer),
    )
