"""Whether stated energy fits the macronutrients: 4 kcal per g of protein and carbohydrate, 9 of fat, 7 of alcohol."""

from __future__ import annotations

from typing import Literal, TypeAlias

from maxnutrition.foods.nutrients import Nutrients

Verdict: TypeAlias = Literal["fits", "off", "unknown"]

TOLERATED_SHARE = 0.20
TOLERATED_KCAL = 8.0
_KCAL_OF_FIBRE = 2.0


def check_energy(nutrients: Nutrients, tolerated_share: float = TOLERATED_SHARE) -> Verdict:
    """`off` where energy lies outside what the macronutrients allow, by more than the tolerance.

    Tables count fibre as carbohydrate and disagree on its energy, so 2 to 4 kcal per g of it are both allowed.
    Unknown alcohol counts as none.
    """
    kcal, carbohydrate = nutrients.kcal, nutrients.carbohydrate
    if kcal is None or carbohydrate is None or nutrients.protein is None or nutrients.fat is None:
        return "unknown"
    most = 4 * nutrients.protein + 4 * carbohydrate + 9 * nutrients.fat + 7 * (nutrients.alcohol or 0.0)
    fibre = min(nutrients.fibre or 0.0, carbohydrate)
    least = most - (4 - _KCAL_OF_FIBRE) * fibre
    tolerated = max(TOLERATED_KCAL, tolerated_share * max(kcal, most))
    return "fits" if least - tolerated <= kcal <= most + tolerated else "off"
