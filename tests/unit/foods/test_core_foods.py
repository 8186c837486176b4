"""The curated data: whole, consistent, and true to its sources."""

import csv
import re
from collections import defaultdict

import pytest

from maxnutrition.foods.atwater import check_energy
from maxnutrition.foods.labels import food_of_label, map_labels
from maxnutrition.foods.nutrients import NUTRIENT_NAMES
from maxnutrition.foods.table import FoodFileError, FoodTable, core_foods
from maxnutrition.foods.words import stems_of
from tests.databases import SHARED

TACO = SHARED / "data" / "taco" / "nutrients.csv"
COLUMNS = {
    "kcal": "kcal",
    "protein": "protein",
    "carbohydrate": "carbohydrates",
    "fat": "lipids",
    "fibre": "dietaryFiber",
    "sodium": "sodium",
    "calcium": "calcium",
    "iron": "iron",
    "vitamin_c": "vitaminC",
}
OFF_ATWATER_IN_TACO = {"limao"}
NOT_APPLICABLE = {"fibre", "carbohydrate"}

foods = core_foods()


def test_the_core_covers_what_brazilians_eat() -> None:
    assert len(foods) >= 160
    everyday = [
        "arroz-branco",
        "feijao-carioca",
        "pao-frances",
        "frango-grelhado",
        "cafe",
        "banana",
        "feijoada",
        "pudim",
    ]
    assert [food_id for food_id in everyday if food_id not in foods] == []


def test_ids_are_slugs_and_every_food_has_a_portion_and_a_source() -> None:
    assert [food.id for food in foods if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", food.id)] == []
    assert [food.id for food in foods if food.portion_grams is None or not food.source] == []


def test_every_name_leads_to_one_food() -> None:
    owners: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for food in foods:
        for name in (food.name, *food.synonyms, *food.vague):
            owners[stems_of(name)].add(food.id)
    assert {" ".join(name): ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_foods_are_found_by_role_group_and_any_other_property() -> None:
    assert {"feijao-carioca", "lentilha"} <= {food.id for food in foods.with_role("beans")}
    assert {food.group for food in foods.in_group("fish")} == {"fish"}
    assert "tofu" in {food.id for food in foods.where(lambda food: "soy" in food.allergens)}
    assert foods.get("no-such-food") is None


def test_a_second_food_of_the_same_id_is_refused() -> None:
    with pytest.raises(FoodFileError, match="arroz-branco"):
        FoodTable([foods["arroz-branco"], foods["arroz-branco"]])


def test_energy_fits_macronutrients_but_where_taco_itself_is_off() -> None:
    verdicts = {food.id: check_energy(food.per_100g) for food in foods}
    assert {food_id for food_id, verdict in verdicts.items() if verdict == "off"} == OFF_ATWATER_IN_TACO
    assert {food_id for food_id, verdict in verdicts.items() if verdict == "unknown"} == set()


def test_animal_foods_are_not_taken_for_vegan() -> None:
    suspicious = {food.id for food in foods if food.diet != "omnivore" and food.allergens & {"fish", "shellfish"}}
    suspicious |= {food.id for food in foods if food.diet == "vegan" and food.allergens & {"milk", "egg"}}
    suspicious |= {food.id for food in foods if food.diet != "omnivore" and food.group in {"meat", "fish"}}
    assert suspicious == set()


def test_what_has_wheat_has_gluten_and_what_has_lactose_has_milk() -> None:
    assert [food.id for food in foods if "wheat" in food.allergens and "gluten" not in food.contains] == []
    assert [food.id for food in foods if "lactose" in food.contains and "milk" not in food.allergens] == []


def test_foods_with_a_role_can_be_calculated_with() -> None:
    planned = foods.where(lambda food: bool(food.roles))
    told = ("kcal", "protein", "carbohydrate", "fat")
    assert [food.id for food in planned if any(getattr(food.per_100g, name) is None for name in told)] == []


@pytest.mark.parametrize(
    ("label", "food_id"),
    [
        ("banana", "banana"),
        ("apple", "maca"),
        ("orange", "laranja"),
        ("broccoli", "brocolis"),
        ("carrot", "cenoura-crua"),
        ("hot dog", "cachorro-quente"),
        ("pizza", "pizza-mussarela"),
        ("donut", "sonho"),
        ("cake", "bolo-milho"),
        ("sandwich", "misto-quente"),
        ("Hot_Dog", "cachorro-quente"),
        ("french-fries", "batata-frita"),
        ("eggs", "ovo-cozido"),
    ],
)
def test_every_food_class_of_coco_leads_to_a_food(label: str, food_id: str) -> None:
    found = food_of_label(map_labels(foods), label)
    assert found is not None
    assert found.id == food_id


@pytest.mark.parametrize("label", ["person", "fork", "dining table", "", "wine glass", "bowl"])
def test_things_that_are_no_food_lead_to_none(label: str) -> None:
    assert food_of_label(map_labels(foods), label) is None


@pytest.mark.skipif(not TACO.exists(), reason="needs the reference tables of TACO")
def test_figures_with_a_taco_number_are_those_of_taco() -> None:
    with TACO.open(encoding="utf-8") as opened:
        reference = {f"TACO {row['foodId']}": row for row in csv.DictReader(opened)}
    cited = foods.where(lambda food: food.source in reference)
    assert len(cited) > 200
    differences = []
    for food in cited:
        for ours, theirs in COLUMNS.items():
            cell = reference[food.source][theirs].strip()
            amount = getattr(food.per_100g, ours)
            fat_alone = food.per_100g.fat == 100
            not_applicable = not cell and amount == 0 and (ours in NOT_APPLICABLE or fat_alone)
            if amount != (float(cell) if cell else None) and not not_applicable:
                differences.append((food.id, ours, amount, cell))
    assert differences == []


@pytest.mark.skipif(not TACO.exists(), reason="needs the reference tables of TACO")
def test_recipes_add_up_to_their_parts() -> None:
    with TACO.open(encoding="utf-8") as opened:
        reference = {row["foodId"]: row for row in csv.DictReader(opened)}
    recipes = foods.where(
        lambda food: bool(re.fullmatch(r"recipe: (?:[\d.]+ % (?:TACO \d+|water)(?: \+ )?)+", food.source))
    )
    assert len(recipes) > 20
    for food in recipes:
        parts = re.findall(r"([\d.]+) % TACO (\d+)", food.source)
        kcal = sum(float(share) / 100 * float(reference[number]["kcal"]) for share, number in parts)
        assert food.per_100g.kcal == pytest.approx(kcal, abs=1.0), food.id


def test_unknown_stays_unknown() -> None:
    assert foods["arroz-branco"].per_100g.vitamin_c is None
    assert foods["whey"].per_100g.sodium is None
    assert set(COLUMNS) | {"alcohol"} == set(NUTRIENT_NAMES)
