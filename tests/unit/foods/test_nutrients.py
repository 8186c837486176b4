import pytest

from maxnutrition.foods.atwater import Verdict, check_energy
from maxnutrition.foods.nutrients import Nutrients, add_up


def test_a_sum_says_what_it_does_not_know() -> None:
    total = add_up([Nutrients(kcal=100, protein=2.0, sodium=5), Nutrients(kcal=50, protein=None, sodium=0)])
    assert (total.known.kcal, total.known.protein, total.known.sodium) == (150, 2.0, 5)
    assert "protein" in total.unknown
    assert total.unknown.isdisjoint({"kcal", "sodium"})


def test_what_nobody_tells_is_unknown_and_not_zero() -> None:
    total = add_up([Nutrients(kcal=100), Nutrients(kcal=50)])
    assert total.known.iron is None
    assert "iron" in total.unknown


def test_nothing_eaten_is_zero_and_known() -> None:
    total = add_up([])
    assert total.known.kcal == 0
    assert total.unknown == frozenset()


def test_scaling_keeps_unknown_unknown() -> None:
    half = Nutrients(kcal=100, fat=None).scaled(0.5)
    assert (half.kcal, half.fat) == (50, None)


@pytest.mark.parametrize(
    ("nutrients", "verdict"),
    [
        (Nutrients(kcal=128, protein=2.5, carbohydrate=28.1, fat=0.2, fibre=1.6), "fits"),
        (Nutrients(kcal=400, protein=2.5, carbohydrate=28.1, fat=0.2), "off"),
        (Nutrients(kcal=0, protein=10, carbohydrate=10, fat=10), "off"),
        (Nutrients(kcal=231, protein=0, carbohydrate=0, fat=0, alcohol=33.4), "fits"),
        (Nutrients(kcal=231, protein=0, carbohydrate=0, fat=0), "off"),
        (Nutrients(kcal=2, protein=0, carbohydrate=0.6, fat=0), "fits"),
        (Nutrients(kcal=126, protein=4.4, carbohydrate=23.1, fat=3.9, fibre=23.9), "fits"),
        (Nutrients(kcal=100, protein=1, fat=1), "unknown"),
        (Nutrients(protein=1, carbohydrate=1, fat=1), "unknown"),
    ],
)
def test_energy_is_checked_against_macronutrients(nutrients: Nutrients, verdict: Verdict) -> None:
    assert check_energy(nutrients) == verdict
