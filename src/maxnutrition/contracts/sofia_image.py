"""The photo of a meal in, foods with grams and nutrients out."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from maxnutrition.contracts.common import Confidence, Contract, Name, StoredFile
from maxnutrition.contracts.foods import FOOD_DISCLAIMER, FoodItem, Meal, NutrientTotals


class SofiaImageInput(Contract):
    file: StoredFile
    meal: Meal | None = None


class SofiaImageResult(Contract):
    """`is_food` false: nothing to eat on the photo. `unlisted` was seen and is in no table, so it counts for nothing.

    The grams are a model's estimate, to be confirmed by the user; the nutrients are computed from them.
    """

    is_food: bool
    items: list[FoodItem]
    totals: NutrientTotals
    unlisted: Annotated[list[Name], Field(max_length=10)]
    hinted: Annotated[bool, Field(description="Whether an object detector helped.")]
    confidence: Confidence
    warnings: list[str]
    disclaimer: str
    prompt_version: str
    model: str


EXAMPLE_INPUT: dict[str, Any] = {
    "file": {"bucket": "analysis-inputs", "path": "6f1c1f0e-0000-4000-8000-000000000000/almoco.jpg"},
    "meal": "lunch",
}
_RICE = {"kcal": 128.3, "protein": 2.5, "carbohydrate": 28.1, "fat": 0.2, "fibre": 1.6}
_RICE_MINERALS = {"sodium": 1.0, "calcium": 4.0, "iron": 0.1, "vitamin_c": None, "alcohol": None}
EXAMPLE_RESULT: dict[str, Any] = {
    "is_food": True,
    "items": [
        {
            "food_id": "arroz-branco",
            "name": "Arroz branco cozido",
            "said": "foto",
            "meal": "lunch",
            "grams": 100.0,
            "derivation": "model",
            "amount": "estimado pela foto",
            "confidence": 0.8,
            "nutrients": _RICE | _RICE_MINERALS,
            "notes": [],
        }
    ],
    "totals": {"amounts": _RICE | _RICE_MINERALS, "partly_unknown": ["vitamin_c", "alcohol"]},
    "unlisted": [],
    "hinted": True,
    "confidence": 0.8,
    "warnings": [],
    "disclaimer": FOOD_DISCLAIMER,
    "prompt_version": "sofia_image.v1",
    "model": "gemini-3.5-flash-lite",
}
