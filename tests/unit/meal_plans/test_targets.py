import pytest

from analysis_worker import PermanentError
from maxnutrition.contracts.meal_plan import MealPlanInput
from maxnutrition.meal_plans.targets import targets_for


def profile(**changes: object) -> MealPlanInput:
    return MealPlanInput.model_validate({"sex": "female", "age": 30, "weight_kg": 60, "height_cm": 165} | changes)


def test_resting_energy_is_by_mifflin_and_st_jeor() -> None:
    assert targets_for(profile()).resting_kcal == pytest.approx(10 * 60 + 6.25 * 165 - 5 * 30 - 161)
    assert targets_for(profile(sex="male")).resting_kcal == pytest.approx(10 * 60 + 6.25 * 165 - 5 * 30 + 5)


@pytest.mark.parametrize(("activity", "factor"), [("sedentary", 1.2), ("moderate", 1.55), ("very_high", 1.9)])
def test_activity_multiplies_resting_energy(activity: str, factor: float) -> None:
    targets = targets_for(profile(activity=activity))
    assert targets.spent_kcal == pytest.approx(targets.resting_kcal * factor)
    assert targets.kcal == pytest.approx(targets.spent_kcal)


def test_losing_takes_500_kcal_away_but_never_more_than_a_fifth() -> None:
    heavy = targets_for(profile(weight_kg=120, height_cm=180, activity="high", goal="lose"))
    light = targets_for(profile(weight_kg=65, activity="moderate", goal="lose"))
    assert heavy.kcal == pytest.approx(heavy.spent_kcal - 500)
    assert light.kcal == pytest.approx(light.spent_kcal * 0.8)


@pytest.mark.parametrize(("sex", "least"), [("female", 1200), ("male", 1500)])
def test_energy_never_falls_below_what_is_safe_without_care(sex: str, least: float) -> None:
    targets = targets_for(profile(sex=sex, age=80, weight_kg=50, height_cm=150, activity="sedentary", goal="lose"))
    assert targets.kcal == least
    assert any(f"{least}" in note for note in targets.notes)


def test_who_is_underweight_does_not_lose_and_is_told() -> None:
    targets = targets_for(profile(weight_kg=48, goal="lose"))
    assert targets.kcal == pytest.approx(targets.spent_kcal)
    assert any("IMC" in note for note in targets.notes)


def test_who_is_obese_does_not_gain_and_is_told() -> None:
    targets = targets_for(profile(weight_kg=100, goal="gain"))
    assert targets.kcal == pytest.approx(targets.spent_kcal)
    assert any("IMC" in note for note in targets.notes)


def test_a_severely_underweight_person_is_sent_to_care() -> None:
    with pytest.raises(PermanentError) as caught:
        targets_for(profile(weight_kg=40))
    assert caught.value.code == "profile_needs_care"


@pytest.mark.parametrize("goal", ["lose", "keep", "gain"])
@pytest.mark.parametrize("weight", [46, 60, 90, 160, 300])
def test_macronutrients_always_leave_room_for_the_energy(goal: str, weight: float) -> None:
    targets = targets_for(profile(weight_kg=weight, goal=goal))
    least = 4 * targets.protein[0] + 4 * targets.carbohydrate[0] + 9 * targets.fat[0]
    most = 4 * targets.protein[1] + 4 * targets.carbohydrate[1] + 9 * targets.fat[1]
    assert least < targets.kcal < most
    assert targets.protein[0] < targets.protein[1]
