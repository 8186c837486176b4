"""What was read, as the result that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maxnutrition.contracts.foods import FOOD_DISCLAIMER, FoodItem, Meal, NutrientAmounts, NutrientTotals
from maxnutrition.contracts.sofia_text import SofiaTextResult, TextLeftover
from maxnutrition.foods.meal_text.items import ParsedItem, ParsedMeal
from maxnutrition.foods.model import Food
from maxnutrition.foods.nutrients import NUTRIENT_NAMES, Nutrients, add_up, items_of

UNSURE = 0.5
UNKNOWN_ENERGY = "Não sei as calorias de: {names}."


def report_meal(parsed: ParsedMeal, meal: Meal | None, warnings: Sequence[str]) -> SofiaTextResult:
    """`meal` where the text names none."""
    leftovers = [TextLeftover(text=each.text, reason=each.reason) for each in parsed.leftovers]
    open_texts = [each.text for each in parsed.leftovers if each.reason == "not_understood"]
    return SofiaTextResult(
        items=[_item(item, meal) for item in parsed.items],
        totals=total_of((item.food, item.grams) for item in parsed.items),
        leftovers=leftovers,
        confidence=_confidence(parsed.items, len(open_texts)),
        warnings=[*_warnings(parsed.items, open_texts), *warnings],
        disclaimer=FOOD_DISCLAIMER,
    )


def total_of(eaten: Iterable[tuple[Food, float]]) -> NutrientTotals:
    """Of foods and grams."""
    total = add_up(food.nutrients(grams) for food, grams in eaten)
    unknown = [name for name in NUTRIENT_NAMES if name in total.unknown]
    return NutrientTotals.model_validate({"amounts": amounts_of(total.known), "partly_unknown": unknown})


def amounts_of(nutrients: Nutrients) -> NutrientAmounts:
    rounded = {name: None if amount is None else round(amount, 1) for name, amount in items_of(nutrients)}
    return NutrientAmounts(**rounded)


def _item(item: ParsedItem, meal: Meal | None) -> FoodItem:
    return FoodItem(
        food_id=item.food.id,
        name=item.food.name,
        said=item.said,
        meal=item.meal or meal,
        grams=item.grams,
        derivation=item.derivation,
        amount=item.amount,
        confidence=item.confidence,
        nutrients=amounts_of(item.food.nutrients(item.grams)),
        notes=list(item.notes),
    )


def _confidence(items: Sequence[ParsedItem], open_texts: int) -> float:
    """The mean over items and over what was not understood, which counts as nothing."""
    if not items:
        return 0.0
    return round(sum(item.confidence for item in items) / (len(items) + open_texts), 2)


def _warnings(items: Sequence[ParsedItem], open_texts: Sequence[str]) -> list[str]:
    warnings = [] if items else ["Não encontrei alimentos no texto."]
    if open_texts:
        warnings.append("Não entendi: " + ", ".join(f"“{text}”" for text in open_texts) + ".")
    unsure = [item.food.name for item in items if item.confidence < UNSURE]
    if unsure:
        warnings.append(f"Confira, não tenho certeza: {', '.join(dict.fromkeys(unsure))}.")
    unknown = [item.food.name for item in items if item.food.per_100g.kcal is None]
    if unknown:
        warnings.append(UNKNOWN_ENERGY.format(names=", ".join(dict.fromkeys(unknown))))
    return warnings
