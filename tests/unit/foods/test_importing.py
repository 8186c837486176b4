import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maxnutrition.foods.commands import foods as commands
from maxnutrition.foods.importing import ImportFailedError, read_taco, write_foods
from maxnutrition.foods.search import FoodSearch
from maxnutrition.foods.table import FoodFileError, core_foods, load_foods
from tests.databases import SHARED

TACO = SHARED / "data" / "taco"
NAMES = "id,categoryId,name\n"
FIGURES = "foodId,kcal,protein,lipids,carbohydrates,dietaryFiber,calcium,iron,sodium,vitaminC\n"


def written(directory: Path, names: str, figures: str) -> Path:
    (directory / "food.csv").write_text(NAMES + names, encoding="utf-8")
    (directory / "nutrients.csv").write_text(FIGURES + figures, encoding="utf-8")
    return directory


def test_missing_figures_stay_missing_and_traces_are_zero(tmp_path: Path) -> None:
    source = written(tmp_path, '1,1,"Arroz, cozido"\n', "1,124,2.6,Tr,25.8, ,NA,*,1,\n")
    entry = read_taco(source)["taco-1"]
    figures = entry.per_100g
    assert (figures.kcal, figures.protein, figures.fat, figures.sodium) == (124, 2.6, 0, 1)
    assert (figures.fibre, figures.calcium, figures.iron, figures.vitamin_c) == (None, None, None, None)
    assert (entry.name, entry.group, entry.source) == ("Arroz, cozido", "cereals", "TACO 1")


@pytest.mark.parametrize(
    ("names", "figures", "message"),
    [
        ("1,1,Arroz\n", "1,abc,1,1,1,1,1,1,1,1\n", r"nutrients.csv, line 2: kcal: 'abc' is no number"),
        (
            "1,1,Arroz\n2,1,Feijão\n",
            "1,1,1,1,1,1,1,1,1,1\n2,1,-4,1,1,1,1,1,1,1\n",
            r"line 3: protein: -4 is not possible",
        ),
        ("1,1,Arroz\n", "1,nan,1,1,1,1,1,1,1,1\n", r"line 2: kcal: nan is not possible"),
        ("1,1,Arroz\n", "1,1,1\n", r"nutrients.csv, line 2: 3 cells under 10 columns"),
        ("1,99,Arroz\n", "", r"food.csv, line 2: categoryId: '99' is no category"),
        ("x,1,Arroz\n", "", r"food.csv, line 2: needs a number"),
        ("1,1,\n", "", r"food.csv, line 2: needs a number as id and a name"),
        ("1,1,Arroz\n1,1,Feijão\n", "", r"food.csv, line 3: id: 1 is there twice"),
        ("1,1,Arroz\n", "1,,,,,,,,,\n1,,,,,,,,,\n", r"nutrients.csv, line 3: foodId: 1 is there twice"),
        ("1,1,Arroz\n", "7,,,,,,,,,\n", r"food.csv: no food with the id 7"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, names: str, figures: str, message: str) -> None:
    with pytest.raises(ImportFailedError, match=message):
        read_taco(written(tmp_path, names, figures))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    written(tmp_path, "", "")
    (tmp_path / "food.csv").write_text("id,name\n", encoding="utf-8")
    with pytest.raises(ImportFailedError, match="no column 'categoryId'"):
        read_taco(tmp_path)


def test_files_that_are_missing_or_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFailedError, match=r"nutrients\.csv"):
        read_taco(tmp_path)
    written(tmp_path, "", "")
    (tmp_path / "food.csv").write_bytes(b"id,categoryId,name\n1,1,\xff\xfe\n")
    with pytest.raises(ImportFailedError, match="UTF-8"):
        read_taco(tmp_path)


def test_added_foods_stand_beside_the_core(tmp_path: Path) -> None:
    source = written(
        tmp_path, '900,3,"Cupuaçu, cru"\n3,1,"Arroz, tipo 1, cozido"\n', "900,49,1.2,1.0,10.4,3.1,13,0.5,3,24.5\n"
    )
    target = tmp_path / "foods.json"
    write_foods(read_taco(source), target)
    table = load_foods(target)
    assert table["taco-900"].per_100g.kcal == 49
    assert len(table) == len(core_foods()) + 1, "TACO 3 is arroz-branco, which the core knows more about"
    assert [match.food.id for match in FoodSearch(table).find("cupuaçu")] == ["taco-900"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"x": {"name": "X"}}', '{"x": {"name": "X", "group": "stones", "source": "s"}}']
)
def test_a_file_that_holds_no_foods_is_refused(tmp_path: Path, content: str) -> None:
    target = tmp_path / "foods.json"
    target.write_text(content, encoding="utf-8")
    with pytest.raises(FoodFileError, match=r"foods\.json"):
        load_foods(target)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FoodFileError, match="No such file"):
        load_foods(tmp_path / "foods.json")


@pytest.mark.skipif(not TACO.exists(), reason="needs the reference tables of TACO")
def test_the_whole_taco_can_be_imported(tmp_path: Path) -> None:
    target = tmp_path / "foods.json"
    ran = CliRunner().invoke(commands, ["import", str(TACO), "--output", str(target)])
    assert ran.exit_code == 0, ran.output
    entries = read_taco(TACO / "food.csv")
    assert len(entries) == 597
    milk = entries["taco-458"].per_100g
    assert (milk.kcal, milk.protein, milk.sodium) == (None, None, 64)
    table = load_foods(target)
    assert {entry.source for entry in entries.values()} <= {food.source for food in table}


def test_the_command_finds_foods_and_says_where_it_finds_none() -> None:
    found = CliRunner().invoke(commands, ["search", "feijão preto", "--json"])
    assert found.exit_code == 0
    [first, *_] = json.loads(found.stdout)
    assert (first["id"], first["score"], first["source"]) == ("feijao-preto", 1.0, "TACO 567")
    assert "Feijão-preto cozido" in CliRunner().invoke(commands, ["search", "feijão preto"]).stdout
    assert CliRunner().invoke(commands, ["search", "qwertyuiop"]).exit_code == 1


def test_the_command_names_a_file_it_cannot_use(tmp_path: Path) -> None:
    missing = CliRunner().invoke(commands, ["import", str(tmp_path)])
    assert missing.exit_code == 2
    assert "nutrients.csv" in missing.output
    assert CliRunner().invoke(commands, ["search", "arroz", "--foods", str(tmp_path / "no.json")]).exit_code == 2
