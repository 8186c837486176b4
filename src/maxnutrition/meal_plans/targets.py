"""What a day should provide, from who the person is.

Resting energy by Mifflin-St Jeor (Am J Clin Nutr 1990; 51: 241-247), times an activity factor. Shares of energy within
the acceptable ranges of the Dietary Reference Intakes (fat 20-35 %, carbohydrate from 40 % to leave room for protein).
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis_worker import PermanentError
from maxnutrition.contracts.meal_plan import MealPlanInput

KCAL_TOLERANCE = 0.025
"""The plan promises 3 %; the rest is for rounding."""

_ACTIVITY = {"sedentary": 1.2, "light": 1.375, "moderate": 1.55, "high": 1.725, "very_high": 1.9}
_PROTEIN_PER_KG = {"lose": 1.2, "keep": 1.0, "gain": 1.4}
_MOST_PROTEIN_PER_KG = 2.0
_LEAST_KCAL = {"female": 1200.0, "male": 1500.0}
_MOST_KCAL = 4200.0
_DEFICIT, _DEFICIT_SHARE, _SURPLUS = 500.0, 0.20, 300.0
_UNDERWEIGHT, _SEVERELY_UNDERWEIGHT, _NORMAL, _OBESE = 18.5, 16.0, 25.0, 30.0

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Targets:
    """Energy in kcal, macronutrients as least and most grams a day."""

    resting_kcal: float
    spent_kcal: float
    kcal: float
    protein: Range
    carbohydrate: Range
    fat: Range
    notes: tuple[str, ...]


def targets_for(profile: MealPlanInput) -> Targets:
    """Raises PermanentError where a plan would do harm."""
    squared_height = (profile.height_cm / 100) ** 2
    bmi = profile.weight_kg / squared_height
    if bmi < _SEVERELY_UNDERWEIGHT:
        raise PermanentError(
            "profile_needs_care", "Seu peso está muito abaixo do esperado para a altura. Procure atendimento de saúde."
        )
    resting = 10 * profile.weight_kg + 6.25 * profile.height_cm - 5 * profile.age
    resting += 5 if profile.sex == "male" else -161
    spent = resting * _ACTIVITY[profile.activity]
    goal, notes = _safe_goal(profile.goal, bmi)
    kcal, more_notes = _energy(profile.sex, goal, spent)
    lean_kg = min(profile.weight_kg, _NORMAL * squared_height)
    least_protein = min(max(_PROTEIN_PER_KG[goal] * lean_kg, 0.10 * kcal / 4), 0.25 * kcal / 4)
    most_protein = min(max(_MOST_PROTEIN_PER_KG * lean_kg, 0.20 * kcal / 4), 0.35 * kcal / 4)
    return Targets(
        resting_kcal=resting,
        spent_kcal=spent,
        kcal=kcal,
        protein=(least_protein, most_protein),
        carbohydrate=(0.40 * kcal / 4, 0.65 * kcal / 4),
        fat=(0.20 * kcal / 9, 0.35 * kcal / 9),
        notes=(*notes, *more_notes),
    )


def _safe_goal(goal: str, bmi: float) -> tuple[str, list[str]]:
    if goal == "lose" and bmi < _UNDERWEIGHT:
        return "keep", [
            "Seu IMC está abaixo de 18,5: o plano mantém o peso em vez de emagrecer. Procure um profissional."
        ]
    if goal == "gain" and bmi >= _OBESE:
        return "keep", ["Seu IMC está acima de 30: o plano mantém o peso em vez de ganhar. Procure um profissional."]
    return goal, []


def _energy(sex: str, goal: str, spent: float) -> tuple[float, list[str]]:
    wanted = {"lose": spent - min(_DEFICIT, _DEFICIT_SHARE * spent), "keep": spent, "gain": spent + _SURPLUS}[goal]
    least = _LEAST_KCAL[sex]
    if wanted < least:
        return least, [f"Abaixo de {least:.0f} kcal por dia um plano só é seguro com acompanhamento; usei esse mínimo."]
    if wanted > _MOST_KCAL:
        return _MOST_KCAL, [
            f"Acima de {_MOST_KCAL:.0f} kcal por dia, peça um plano a um profissional; usei esse máximo."
        ]
    return wanted, []
