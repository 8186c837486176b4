import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxnutrition.prompts.red_lines import INSTEAD, hold, line_crossed_by


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("Você tem diabetes.", "diagnosis"),
        ("Pelos valores, você provavelmente está com anemia.", "diagnosis"),
        ("Esses valores indicam pré-diabetes!", "diagnosis"),
        ("Isso é hipotireoidismo.", "diagnosis"),
        ("Seu diagnóstico é gordura no fígado.", "diagnosis"),
        ("Trata-se de um quadro de hipertensão.", "diagnosis"),
        ("**Você tem *colesterol alto*.**", "diagnosis"),
        ("VOCE PODE ESTAR COM DEPRESSÃO.", "diagnosis"),
        ("Seus exames mostram que você tem deficiência de ferro.", "diagnosis"),
        ("Isso sugere resistência à insulina.", "diagnosis"),
        ("Use insulina antes do jantar.", "prescription"),
        ("Tome metformina depois do almoço.", "prescription"),
        ("Recomendo que você comece a usar Ozempic.", "prescription"),
        ("Pare de tomar a losartana.", "prescription"),
        ("Pode suspender o remédio da pressão.", "prescription"),
        ("Sugiro um laxante leve.", "prescription"),
        ("Tome dipirona 500 mg.", "dose"),
        ("Metformina 850mg duas vezes ao dia.", "dose"),
        ("Use 10 UI de insulina.", "dose"),
        ("São 2 comprimidos por dia.", "dose"),
        ("Pingue 20 gotas em água.", "dose"),
        ("O paracetamol pode ser a cada 6 horas.", "dose"),
        ("Você pode dobrar a dose.", "dose"),
        ("Tome 2000 UI de vitamina D sem falar com o médico.", "dose"),
    ],
)
def test_what_only_a_professional_may_say_is_found(sentence: str, line: str) -> None:
    assert line_crossed_by(sentence) == line


@pytest.mark.parametrize(
    "sentence",
    [
        "Você tem uma boa rotina.",
        "Você tem diabetes?",
        "Se você tem diabetes, converse com seu médico sobre o cardápio.",
        "Quem tem hipertensão costuma reduzir o sal.",
        "Não posso dizer se você tem anemia.",
        "Isso não significa que você tem diabetes.",
        "Não pare de tomar seu remédio sem falar com o médico.",
        "Converse com seu médico antes de tomar qualquer suplemento de ferro.",
        "Use só o remédio que o médico receitou, conforme a receita.",
        "Um copo de 200 ml de água já ajuda.",
        "Sua glicose foi de 95 mg/dL.",
        "O iogurte tem 300 mg de cálcio por porção.",
        "Coma a cada 3 horas, se isso funcionar para você.",
        "Use azeite em vez de manteiga.",
        "Troque o refrigerante por água com limão.",
        "São 100 g de frango e 2 colheres de arroz.",
        "Diminua o sal aos poucos.",
        "Troque o pão branco pelo integral para reduzir os picos de insulina.",
        "A laranja tem vitamina C, que ajuda a absorver o ferro.",
    ],
)
def test_everyday_advice_is_left_alone(sentence: str) -> None:
    assert line_crossed_by(sentence) is None


def test_only_the_sentences_that_cross_a_line_go_and_one_says_what_to_do() -> None:
    text = "Que bom que você mediu!\nVocê tem diabetes. Tome metformina 850 mg. Beba água ao longo do dia."
    held = hold(text)
    assert held.text == f"Que bom que você mediu!\n{INSTEAD} Beba água ao longo do dia."
    assert held.crossed == ("diagnosis", "dose")


def test_decimals_and_abbreviations_do_not_hide_the_rest_of_a_sentence() -> None:
    assert hold("Com 7.2 de resultado você tem diabetes.").text == INSTEAD


@given(st.text(max_size=400))
def test_text_that_crosses_nothing_stays_as_it_is(text: str) -> None:
    held = hold(text)
    assert held.crossed or held.text == text


@given(st.text(alphabet="tome .!?\n12mgcápsulas", max_size=2000))
def test_what_was_held_can_be_held_again(text: str) -> None:
    assert hold(hold(text).text).crossed == ()
