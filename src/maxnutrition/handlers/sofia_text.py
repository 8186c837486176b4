"""A meal in words becomes foods and nutrients; a model, where there is one, is asked only for what is left over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import anyio.to_thread

from analysis_worker import DeferredError, Handler, JobContext, PermanentError, RetryableError
from maxnutrition.contracts.sofia_text import SofiaTextInput, SofiaTextResult
from maxnutrition.foods.meal_text.items import Leftover, ParsedItem, ParsedMeal
from maxnutrition.foods.meal_text.parser import MealTextParser
from maxnutrition.foods.meal_text.report import report_meal
from maxnutrition.foods.table import FoodTable
from maxnutrition.prompts.foods import NamedFood, completion_request
from maxnutrition.providers.request import Models

_NO_MODEL = "A análise por IA do que não entendi não está configurada."
_MODEL_FAILED = "A análise por IA do que não entendi não respondeu; o resto da análise está completo."
_NOT_CONFIGURED = "provider_not_configured"


@dataclass(frozen=True, slots=True)
class MealTexts:
    """Reads meals in words."""

    parser: MealTextParser
    foods: FoodTable
    models: Models

    async def run(self, request: SofiaTextInput, context: JobContext) -> SofiaTextResult:
        await context.report_progress(0.1, "lendo")
        parsed = await anyio.to_thread.run_sync(self.parser.parse, request.text)
        open_texts = [leftover.text for leftover in parsed.leftovers if leftover.reason == "not_understood"]
        warnings: list[str] = []
        if open_texts:
            await context.report_progress(0.4, "interpretando")
            parsed, warnings = await self._complete(parsed, open_texts, context)
        context.log.bind(items=len(parsed.items), leftovers=len(parsed.leftovers)).info("meal text read")
        return report_meal(parsed, request.meal, warnings)

    async def _complete(
        self, parsed: ParsedMeal, open_texts: list[str], context: JobContext
    ) -> tuple[ParsedMeal, list[str]]:
        """What the parser read stands, whatever becomes of the model."""
        request = completion_request(open_texts, {food.id: food.name for food in self.foods})
        try:
            named = (await self.models.generate(request, context)).output
        except (PermanentError, RetryableError, DeferredError) as error:
            context.log.bind(code=error.code).info("meal text read without a model")
            return parsed, [_NO_MODEL if error.code == _NOT_CONFIGURED else _MODEL_FAILED]
        added = [self._item(food, open_texts[food.span - 1]) for food in named.items]
        covered = {open_texts[food.span - 1] for food in named.items}
        still_open = tuple(leftover for leftover in parsed.leftovers if not _is_among(leftover, covered))
        return ParsedMeal((*parsed.items, *added), still_open), []

    def _item(self, named: NamedFood, said: str) -> ParsedItem:
        return ParsedItem(
            food=self.foods[named.food_id],
            grams=round(named.grams, 1),
            said=said,
            derivation="model",
            amount="estimado por IA",
            confidence=named.confidence,
        )


def _is_among(leftover: Leftover, covered: Collection[str]) -> bool:
    return leftover.reason == "not_understood" and leftover.text in covered


def meal_texts(foods: FoodTable, models: Models) -> MealTexts:
    return MealTexts(MealTextParser(foods), foods, models)


def sofia_text(texts: MealTexts) -> Handler[SofiaTextInput, SofiaTextResult]:
    return Handler(type="sofia_text", input=SofiaTextInput, result=SofiaTextResult, run=texts.run)
