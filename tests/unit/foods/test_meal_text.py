from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maxnutrition.foods.meal_text.items import ParsedMeal
from maxnutrition.foods.meal_text.parser import MAX_TEXT, MealTextParser
from maxnutrition.foods.table import core_foods

parser = MealTextParser(core_foods())

VOCABULARY = (
    "arroz feijão frango pão de queijo com sem e a o 2 1/2 ½ um meia 100 g ml kg colher colheres sopa chá copo xícara "
    "fatia ( ) , . + - : \n não comi mas só café leite manhã almoço suco laranja grelhado grande pequeno bolo cenoura "
    "muito xis 0 999999999 1,5 1.000 duzia metade prato umas sushi aspargos"
)
WORDS = st.sampled_from(VOCABULARY.split(" "))


def read(text: str) -> dict[str, float]:
    return {item.food.id: item.grams for item in parser.parse(text).items}


def open_texts(parsed: ParsedMeal) -> list[str]:
    return [leftover.text for leftover in parsed.leftovers if leftover.reason == "not_understood"]


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("100 g de arroz", 100),
        ("100g arroz", 100),
        ("0,1 kg de arroz", 100),
        ("1.000 g de arroz", 1000),
        ("cem gramas de arroz", 100),
        ("2 colheres de arroz", 50),
        ("2 colheres de sopa de arroz", 50),
        ("2 colheres (sopa) de arroz", 50),
        ("2 col. sopa arroz", 50),
        ("2 cs de arroz", 50),
        ("duas colheres de arroz", 50),
        ("umas 2 colheres de arroz", 50),
        ("2x colher de arroz", 50),
        ("1 a 3 colheres de arroz", 50),
        ("1-3 colheres de arroz", 50),
        ("uma colher e meia de arroz", 37.5),
        ("1 ½ colher de arroz", 37.5),
        ("1 1/2 colher de arroz", 37.5),
        ("meia xícara de arroz", 80),
        ("1/2 xícara de arroz", 80),
        ("4 colheres rasas de arroz", 60),
        ("arroz 100 g", 100),
        ("arroz (100 g)", 100),
        ("arroz: 4 colheres", 100),
        ("arroz, 100 g", 100),
        ("arroz", 100),
        ("um pouco de arroz", 50),
    ],
)
def test_amounts_are_read_however_they_are_written(text: str, grams: float) -> None:
    assert read(text) == {"arroz-branco": pytest.approx(grams)}


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("1 banana pequena", 50),
        ("1 banana", 70),
        ("1 banana grande", 90),
        ("meia banana", 35),
        ("meia dúzia de bananas", 420),
    ],
)
def test_pieces_have_sizes(text: str, grams: float) -> None:
    assert read(text) == {"banana": pytest.approx(grams)}


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("café com leite", {"cafe-leite": 200}),
        ("arroz com feijão", {"arroz-branco": 100, "feijao-carioca": 86}),
        ("pão com manteiga", {"pao-frances": 50, "manteiga": 5}),
        ("pão, queijo", {"pao-frances": 50, "mussarela": 20}),
        ("pão queijo", {"pao-frances": 50, "mussarela": 20}),
        ("pão de queijo", {"pao-queijo": 40}),
        ("arroz 100g frango 150g", {"arroz-branco": 100, "frango-grelhado": 150}),
        ("100g arroz 150g frango", {"arroz-branco": 100, "frango-grelhado": 150}),
        ("pão 2 ovos", {"pao-frances": 50, "ovo-cozido": 100}),
        ("2 bifes de 90 g", {"bife-grelhado": 180}),
        ("3 ovos (150 g)", {"ovo-cozido": 150}),
        ("2 x-salada", {"x-salada": 440}),
        ("1 xícara de chá de hortelã", {"cha": 200}),
        ("1 xícara (chá) de arroz", {"arroz-branco": 160}),
        ("2 colheres de chá de açúcar e 1 de mel", {"acucar": 10, "mel": 6}),
    ],
)
def test_compounds_and_lists_come_apart_where_they_should(text: str, items: dict[str, float]) -> None:
    assert read(text) == items


@pytest.mark.parametrize(
    ("text", "food_id"),
    [
        ("frango assado", "frango-assado"),
        ("frango no forno", "frango-assado"),
        ("filé de frango na chapa", "frango-grelhado"),
        ("ovos fritos", "ovo-frito"),
        ("ovo bem mexido", "ovo-mexido"),
        ("peixe frito", "peixe-frito"),
        ("batatas fritas", "batata-frita"),
        ("couve refogada", "couve"),
    ],
)
def test_a_preparation_prefers_the_food_done_that_way(text: str, food_id: str) -> None:
    assert list(read(text)) == [food_id]


def test_a_preparation_that_the_table_lacks_is_said_and_costs_confidence() -> None:
    [plain], [fried] = parser.parse("100 g de polenta").items, parser.parse("100 g de polenta frita").items
    assert fried.confidence < plain.confidence
    assert any("frita" in note for note in fried.notes)


def test_what_was_not_eaten_is_no_item_and_is_reported() -> None:
    parsed = parser.parse("não comi pão, só tomei leite")
    assert [item.food.id for item in parsed.items] == ["leite"]
    assert [(leftover.text, leftover.reason) for leftover in parsed.leftovers] == [("não comi pão", "negated")]


def test_without_takes_nothing_in() -> None:
    assert list(read("café sem açúcar")) == ["cafe"]
    [item] = parser.parse("100 g de iogurte sem mel").items
    assert item.food.id == "iogurte-natural"
    assert "sem mel" in item.notes


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("arroz e aspargos", ["aspargos"]),
        ("100 g de aspargos", ["100 g de aspargos"]),
        ("1 pedaço de bolo de cenoura", ["1 pedaço de bolo de cenoura"]),
        ("suco de graviola", ["suco de graviola"]),
        ("coração de frango", ["coração de frango"]),
        ("leite de aveia", ["leite de aveia"]),
        ("blorg", ["blorg"]),
        ("2 colheres", ["2 colheres"]),
    ],
)
def test_what_is_not_understood_is_reported_and_never_guessed(text: str, left: list[str]) -> None:
    parsed = parser.parse(text)
    assert open_texts(parsed) == left
    assert [item.food.id for item in parsed.items if item.food.id != "arroz-branco"] == []


def test_items_say_how_grams_came_about_and_how_sure_that_is() -> None:
    items = {item.derivation: item for item in parser.parse("100 g de arroz, 1 concha de feijão, 2 ovos, farofa").items}
    assert [items[how].confidence for how in ("weight", "measure", "count", "portion")] == [0.95, 0.9, 0.85, 0.6]
    assert items["measure"].amount == "1 × concha (86 g)"
    assert items["weight"].said == "100 g de arroz"


def test_a_guess_is_less_sure_and_says_so() -> None:
    [typo] = parser.parse("100 g de brocolus").items
    [vague] = parser.parse("200 ml de suco").items
    assert typo.food.id == "brocolis"
    assert typo.confidence < 0.95
    assert any("brocolus" in note for note in typo.notes)
    assert any("suco" in note for note in vague.notes)


def test_an_impossible_amount_becomes_a_usual_portion_and_says_so() -> None:
    [item] = parser.parse("500 kg de arroz").items
    assert (item.grams, item.derivation) == (100, "portion")
    assert any("não parece possível" in note for note in item.notes)


def test_meals_that_the_text_names_go_to_their_items() -> None:
    parsed = parser.parse("café da manhã: 1 pão. Almoço: arroz. No jantar comi sopa de legumes")
    assert [(item.food.id, item.meal) for item in parsed.items] == [
        ("pao-frances", "breakfast"),
        ("arroz-branco", "lunch"),
        ("sopa-legumes", "dinner"),
    ]


@pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "bom dia!", ",,,;;", "\n\n"])
def test_a_text_without_food_is_empty(text: str) -> None:
    assert parser.parse(text) == ParsedMeal((), ())


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=MAX_TEXT), st.lists(WORDS, max_size=300).map(" ".join)))
@example("e meia " * 280)
@example("colher de " * 200)
@example("1/0 arroz")
@example("um " * 600)
@example("sem")
@example("não")
@example("İstanbul ﬁlé")
def test_no_text_breaks_the_parser_or_keeps_it_busy(text: str) -> None:
    started = process_time()
    parsed = parser.parse(text)
    assert process_time() - started < 2
    for item in parsed.items:
        assert 0 < item.grams <= 5000
        assert 0 < item.confidence <= 1
        assert item.said in text
    assert all(leftover.text in text for leftover in parsed.leftovers)


@given(st.lists(st.sampled_from(["zblorg", "qwerty", "fnord", "plugh"]), min_size=1, max_size=5))
def test_no_unknown_word_gets_lost(words: list[str]) -> None:
    text = "arroz, " + ", ".join(f"100 g de {word}" for word in words)
    left = " ".join(open_texts(parser.parse(text)))
    assert [word for word in words if word not in left] == []
