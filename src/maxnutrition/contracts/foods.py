"""What results about food share."""

from typing import Annotated, Literal

from pydantic import Field

from maxnutrition.contracts.common import Confidence, Contract, Name

FOOD_DISCLAIMER = (
    "Valores estimados a partir de tabelas de composição de alimentos e de medidas caseiras usuais. "
    "Servem de referência e não substituem a orientação de um nutricionista."
)

Meal = Literal["breakfast", "morning_snack", "lunch", "snack", "dinner", "supper"]
Derivation = Literal["weight", "volume", "measure", "count", "portion", "model"]
NutrientName = Literal[
    "kcal", "protein", "carbohydrate", "fat", "fibre", "sodium", "calcium", "iron", "vitamin_c", "alcohol"
]
FoodId = Annotated[str, Field(min_length=1, max_length=80)]
Grams = Annotated[float, Field(gt=0, le=5000)]
Quantity = Annotated[float, Field(ge=0)] | None


class NutrientAmounts(Contract):
    """Energy in kcal; protein, carbohydrate, fat, fibre and alcohol in g; the rest in mg. None is unknown, not zero."""

    kcal: Quantity
    protein: Quantity
    carbohydrate: Quantity
    fat: Quantity
    fibre: Quantity
    sodium: Quantity
    calcium: Quantity
    iron: Quantity
    vitamin_c: Quantity
    alcohol: Quantity


class NutrientTotals(Contract):
    """Nutrients in `partly_unknown` are at least what `amounts` says: not every food tells them."""

    amounts: NutrientAmounts
    partly_unknown: list[NutrientName]


class FoodItem(Contract):
    """`said` is how the user put it, `amount` how the grams came about, both to be shown."""

    food_id: FoodId
    name: Name
    said: str
    meal: Meal | None
    grams: Grams
    derivation: Derivation
    amount: str
    confidence: Confidence
    nutrients: NutrientAmounts
    notes: list[str]
