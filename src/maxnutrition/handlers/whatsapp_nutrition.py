"""A meal that came by WhatsApp becomes a diary entry and a reply in words; code writes both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis_worker import Handler, JobContext
from maxnutrition.contracts.foods import FOOD_DISCLAIMER, FoodItem, Meal, NutrientTotals
from maxnutrition.contracts.sofia_text import SofiaTextInput
from maxnutrition.contracts.whatsapp import MAX_REPLY
from maxnutrition.contracts.whatsapp_nutrition import WhatsappNutritionInput, WhatsappNutritionResult
from maxnutrition.foods.meal_text.report import total_of
from maxnutrition.foods.table import FoodTable
from maxnutrition.handlers.sofia_image import MealPhotos
from maxnutrition.handlers.sofia_text import MealTexts
from maxnutrition.prompts.plain_text import shorten, whatsapp

_ENDING = "\n\nValores estimados; confira no app."
_NOTHING = (
    "Não consegui identificar alimentos. Mande uma foto do prato, ou escreva assim: "
    "_2 colheres de arroz, 1 concha de feijão e 100 g de frango_."
)
_MEALS: dict[Meal, str] = {
    "breakfast": "Café da manhã",
    "morning_snack": "Lanche da manhã",
    "lunch": "Almoço",
    "snack": "Lanche da tarde",
    "dinner": "Jantar",
    "supper": "Ceia",
}
_TOLD = 12
"""Items told one by one; the reply of a buffet ends with how many there are more."""


@dataclass(frozen=True, slots=True)
class WhatsappMeals:
    photos: MealPhotos
    texts: MealTexts
    foods: FoodTable

    async def run(self, request: WhatsappNutritionInput, context: JobContext) -> WhatsappNutritionResult:
        """What the caption names stands beside what the photo shows, unless both name the same food."""
        items: list[FoodItem] = []
        notes: list[str] = []
        if request.text is not None:
            read = await self.texts.run(SofiaTextInput(text=request.text, meal=request.meal), context)
            items += read.items
            # A caption need not be about food.
            notes += read.warnings if request.file is None or read.items else []
        if request.file is not None:
            seen = await self.photos.read(request.file, request.meal, context)
            named = {item.food_id for item in items}
            items += [item for item in seen.items if item.food_id not in named]
            notes += seen.warnings
        totals = total_of((self.foods[item.food_id], item.grams) for item in items)
        return WhatsappNutritionResult(
            reply=write_reply(items, totals, request.meal, notes) if items else _NOTHING,
            items=items,
            totals=totals,
            understood=bool(items),
            disclaimer=FOOD_DISCLAIMER,
        )


def write_reply(items: Sequence[FoodItem], totals: NutrientTotals, meal: Meal | None, notes: Sequence[str]) -> str:
    """At most `MAX_REPLY` characters; the totals are always among them."""
    meals = {item.meal for item in items}
    named = meal or (meals.pop() if len(meals) == 1 else None)
    head = f"*{_MEALS[named] if named else 'Sua refeição'}*"
    lines = [_line(item) for item in items[:_TOLD]]
    if len(items) > _TOLD:
        lines.append(f"• e mais {len(items) - _TOLD}")
    sums = _totals(totals)
    left = MAX_REPLY - len(head) - len(sums) - len(_ENDING) - 4
    body = shorten("\n".join([*lines, *(f"\n{whatsapp(note)}" for note in notes)]), left)
    return f"{head}\n{body}\n\n{sums}{_ENDING}"


def _line(item: FoodItem) -> str:
    energy = "" if item.nutrients.kcal is None else f", {_written(item.nutrients.kcal, 0)} kcal"
    return f"• {item.name}: {_written(item.grams, 0)} g{energy}"


def _totals(totals: NutrientTotals) -> str:
    amounts, at_least = totals.amounts, set(totals.partly_unknown)
    told = [
        f"{label} {'≥ ' if name in at_least else ''}{_written(amount, 1)} g"
        for label, name, amount in (
            ("Proteína", "protein", amounts.protein),
            ("carboidrato", "carbohydrate", amounts.carbohydrate),
            ("gordura", "fat", amounts.fat),
        )
        if amount is not None
    ]
    energy = "?" if amounts.kcal is None else _written(amounts.kcal, 0)
    return f"*Total:* {'≥ ' if 'kcal' in at_least else ''}{energy} kcal\n{', '.join(told)}"


def _written(value: float, decimals: int) -> str:
    """As Brazilians write it: 1.234,5; without decimals that say nothing."""
    digits = f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))
    return digits.rstrip("0").rstrip(",") if "," in digits else digits


def whatsapp_nutrition(meals: WhatsappMeals) -> Handler[WhatsappNutritionInput, WhatsappNutritionResult]:
    return Handler(
        type="whatsapp_nutrition", input=WhatsappNutritionInput, result=WhatsappNutritionResult, run=meals.run
    )
