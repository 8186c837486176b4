"""A meal from WhatsApp, as a photo, as text or both, in; a reply that can be sent as it is, out."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from maxnutrition.contracts.common import Contract, StoredFile
from maxnutrition.contracts.foods import FoodItem, Meal, NutrientTotals
from maxnutrition.contracts.whatsapp import MAX_REPLY


class WhatsappNutritionInput(Contract):
    """`text` is the message or the caption of the photo."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")] | None = None
    file: StoredFile | None = None
    meal: Meal | None = None

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if self.text is None and self.file is None:
            raise ValueError("a text or a file is needed")
        return self


class WhatsappNutritionResult(Contract):
    """`items` and `totals` are what the reply tells, for the diary."""

    reply: Annotated[str, StringConstraints(max_length=MAX_REPLY)]
    items: list[FoodItem]
    totals: NutrientTotals
    understood: Annotated[bool, Field(description="Whether there is a food to put into the diary.")]
    disclaimer: str


_EGG = {"kcal": 73.0, "protein": 6.7, "carbohydrate": 0.3, "fat": 4.8, "fibre": None}
_EGG_MINERALS = {"sodium": 73.0, "calcium": 24.5, "iron": 0.8, "vitamin_c": None, "alcohol": None}
EXAMPLE_INPUT: dict[str, Any] = {"text": "comi um ovo cozido", "meal": "breakfast"}
EXAMPLE_RESULT: dict[str, Any] = {
    "reply": "*Café da manhã*\n• Ovo cozido: 50 g, 73 kcal\n\n*Total:* 73 kcal\nProteína 6,7 g, carboidrato 0,3 g",
    "items": [
        {
            "food_id": "ovo-cozido",
            "name": "Ovo cozido",
            "said": "um ovo cozido",
            "meal": "breakfast",
            "grams": 50.0,
            "derivation": "count",
            "amount": "1 unidade = 50 g",
            "confidence": 0.95,
            "nutrients": _EGG | _EGG_MINERALS,
            "notes": [],
        }
    ],
    "totals": {"amounts": _EGG | _EGG_MINERALS, "partly_unknown": ["fibre", "vitamin_c", "alcohol"]},
    "understood": True,
    "disclaimer": "Valores estimados.",
}
