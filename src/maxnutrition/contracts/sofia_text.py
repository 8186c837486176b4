"""A meal in words in, foods with grams and nutrients out."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from maxnutrition.contracts.common import Confidence, Contract
from maxnutrition.contracts.foods import FOOD_DISCLAIMER, FoodItem, Meal, NutrientTotals


class SofiaTextInput(Contract):
    """`meal` is taken for foods that the text itself gives no meal."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    meal: Meal | None = None
    locale: Literal["pt-BR"] = "pt-BR"


class TextLeftover(Contract):
    """A part of the text that became no item: not understood, or said not to have been eaten."""

    text: str
    reason: Literal["not_understood", "negated"]


class SofiaTextResult(Contract):
    items: list[FoodItem]
    totals: NutrientTotals
    leftovers: Annotated[list[TextLeftover], Field(description="Nothing of the text is dropped in silence.")]
    confidence: Confidence
    warnings: list[str]
    disclaimer: str


EXAMPLE_INPUT: dict[str, Any] = {
    "text": "100 g de frango grelhado e 1 copo de suco",
    "meal": "lunch",
    "locale": "pt-BR",
}
_CHICKEN = {"kcal": 159.0, "protein": 32.0, "carbohydrate": 0.0, "fat": 2.5, "fibre": 0.0}
_CHICKEN_MINERALS = {"sodium": 50.0, "calcium": 5.0, "iron": 0.3, "vitamin_c": None, "alcohol": None}
EXAMPLE_RESULT: dict[str, Any] = {
    "items": [
        {
            "food_id": "frango-grelhado",
            "name": "Peito de frango grelhado",
            "said": "100 g de frango grelhado",
            "meal": "lunch",
            "grams": 100.0,
            "derivation": "weight",
            "amount": "100 g",
            "confidence": 0.95,
            "nutrients": _CHICKEN | _CHICKEN_MINERALS,
            "notes": [],
        }
    ],
    "totals": {"amounts": _CHICKEN | _CHICKEN_MINERALS, "partly_unknown": ["vitamin_c", "alcohol"]},
    "leftovers": [{"text": "suco de graviola", "reason": "not_understood"}],
    "confidence": 0.6,
    "warnings": ["Não entendi: “suco de graviola”."],
    "disclaimer": FOOD_DISCLAIMER,
}
