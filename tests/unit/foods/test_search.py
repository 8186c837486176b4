from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxnutrition.foods.search import FoodSearch
from maxnutrition.foods.table import core_foods
from maxnutrition.foods.words import sound, stem

search = FoodSearch(core_foods())


@pytest.mark.parametrize(
    ("text", "food_id"),
    [
        ("Arroz", "arroz-branco"),
        ("feijão preto", "feijao-preto"),
        ("FEIJAO PRETO", "feijao-preto"),
        ("pães de queijo", "pao-queijo"),
        ("pao queijo", "pao-queijo"),
        ("maçãs", "maca"),
        ("aroz", "arroz-branco"),
        ("xuxu", "chuchu"),
        ("mussarella", "mussarela"),
        ("frango greliado", "frango-grelhado"),
        ("estrogonofe de frango", "estrogonofe-frango"),
        ("bananna", "banana"),
        ("grilled chicken", "frango-grelhado"),
        ("scrambled eggs", "ovo-mexido"),
        ("macaxeira", "mandioca"),
        ("bergamota", "mexerica"),
    ],
)
def test_a_food_is_found_under_what_people_write(text: str, food_id: str) -> None:
    best = search.best(text)
    assert best is not None
    assert best.food.id == food_id


@pytest.mark.parametrize(
    "text", ["pato", "porta", "banco", "asdfgh", "", "de", "🙂", "arroz xyzxyz", "carro", "peixeira"]
)
def test_no_match_is_better_than_a_wrong_one(text: str) -> None:
    assert search.find(text) == []


def test_an_exact_name_is_certain_and_a_typo_less_so() -> None:
    exact, typo = search.best("brócolis"), search.best("brocolus")
    assert exact is not None
    assert typo is not None
    assert exact.score == 1
    assert typo.score < 1


def test_a_part_of_several_names_lists_them_all() -> None:
    assert {match.food.id for match in search.find("suco", limit=20)} >= {"suco-laranja", "suco-uva", "suco-limao"}


def test_the_same_question_has_the_same_answer() -> None:
    assert search.find("queijo") == FoodSearch(core_foods()).find("queijo")


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("paes", "pao"),
        ("feijoes", "feijao"),
        ("ovos", "ovo"),
        ("pasteis", "pastel"),
        ("colheres", "colher"),
        ("mais", "mais"),
    ],
)
def test_plurals_and_singulars_are_the_same_word(plural: str, singular: str) -> None:
    assert stem(plural) == stem(singular)


@pytest.mark.parametrize(
    ("one", "other"), [("arroz", "arros"), ("chuchu", "xuxu"), ("queijo", "keijo"), ("frango", "frangu")]
)
def test_words_that_sound_alike_are_the_same(one: str, other: str) -> None:
    assert sound(one) == sound(other)


@given(st.text(max_size=400))
def test_any_text_can_be_looked_for(text: str) -> None:
    started = process_time()
    found = search.find(text)
    assert process_time() - started < 1
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
