"""A profile in, days of meals in household portions and a shopping list out."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from maxnutrition.contracts.common import Contract, Name
from maxnutrition.contracts.foods import FoodId, Grams, Meal, NutrientTotals

Dislike = Annotated[str, StringConstraints(min_length=2, max_length=60)]
Allergy = Literal["wheat", "milk", "egg", "peanut", "nuts", "soy", "fish", "shellfish"]

PLAN_DISCLAIMER = (
    "Plano gerado automaticamente para adultos saudáveis, apenas como sugestão. Não serve para gestantes, lactantes ou "
    "pessoas em tratamento. Em caso de alergia, confira sempre os rótulos. Não substitui um nutricionista."
)


class MealPlanInput(Contract):
    """The same input and `seed` give the same plan; another seed gives another. Adults only."""

    sex: Literal["female", "male"]
    age: Annotated[int, Field(ge=18, le=100)]
    weight_kg: Annotated[float, Field(ge=30, le=300)]
    height_cm: Annotated[float, Field(ge=120, le=230)]
    activity: Literal["sedentary", "light", "moderate", "high", "very_high"] = "light"
    goal: Literal["lose", "keep", "gain"] = "keep"
    diet: Literal["omnivore", "vegetarian", "vegan"] = "omnivore"
    avoid: list[Literal["gluten", "lactose"]] = Field(default_factory=list, max_length=2)
    allergies: list[Allergy] = Field(default_factory=list, max_length=8)
    dislikes: list[Dislike] = Field(default_factory=list, max_length=20)
    days: Annotated[int, Field(ge=1, le=7)] = 7
    meals_per_day: Annotated[int, Field(ge=3, le=6)] = 4
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Bounds(Contract):
    """Grams a day."""

    low: float
    high: float


class PlanTargets(Contract):
    """`kcal` is met within 3 % each day. `resting_kcal` is by Mifflin-St Jeor, `spent_kcal` with activity."""

    resting_kcal: int
    spent_kcal: int
    kcal: int
    protein: Bounds
    carbohydrate: Bounds
    fat: Bounds


class PlannedFood(Contract):
    """`amount` is in household measures."""

    food_id: FoodId
    name: Name
    grams: Grams
    amount: str


class PlannedMeal(Contract):
    meal: Meal
    foods: Annotated[list[PlannedFood], Field(min_length=1)]
    kcal: float


class PlannedDay(Contract):
    day: int
    meals: list[PlannedMeal]
    totals: NutrientTotals


class ShoppingItem(Contract):
    """`grams` is what to buy, `quantity` the same as one says it in a market."""

    food_id: FoodId
    name: Name
    grams: float
    quantity: str


class MealPlanResult(Contract):
    targets: PlanTargets
    days: Annotated[list[PlannedDay], Field(min_length=1, max_length=7)]
    shopping_list: list[ShoppingItem]
    warnings: list[str]
    disclaimer: str


EXAMPLE_INPUT: dict[str, Any] = {
    "sex": "female",
    "age": 34,
    "weight_kg": 68,
    "height_cm": 165,
    "activity": "moderate",
    "goal": "lose",
    "diet": "vegetarian",
    "avoid": ["lactose"],
    "allergies": ["peanut"],
    "dislikes": ["quiabo"],
    "days": 7,
    "meals_per_day": 4,
    "seed": 1,
}
_TOTALS: dict[str, Any] = {
    "amounts": {
        "kcal": 1690.0,
        "protein": 85.0,
        "carbohydrate": 220.0,
        "fat": 50.0,
        "fibre": 34.0,
        "sodium": 1500.0,
        "calcium": 700.0,
        "iron": 12.0,
        "vitamin_c": 140.0,
        "alcohol": 0.0,
    },
    "partly_unknown": ["vitamin_c"],
}
EXAMPLE_RESULT: dict[str, Any] = {
    "targets": {
        "resting_kcal": 1380,
        "spent_kcal": 2139,
        "kcal": 1711,
        "protein": {"low": 81.6, "high": 149.7},
        "carbohydrate": {"low": 171.1, "high": 278.0},
        "fat": {"low": 38.0, "high": 66.5},
    },
    "days": [
        {
            "day": 1,
            "meals": [
                {
                    "meal": "lunch",
                    "foods": [
                        {
                            "food_id": "arroz-branco",
                            "name": "Arroz branco cozido",
                            "grams": 100,
                            "amount": "4 × colher de sopa",
                        }
                    ],
                    "kcal": 128.0,
                }
            ],
            "totals": _TOTALS,
        }
    ],
    "shopping_list": [
        {"food_id": "arroz-branco", "name": "Arroz branco cozido", "grams": 40, "quantity": "40 g (peso cru)"}
    ],
    "warnings": [],
    "disclaimer": PLAN_DISCLAIMER,
}
