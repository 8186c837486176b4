import pytest

from maxnutrition.prompts.emergencies import ADVICE, Emergency, emergency_in


@pytest.mark.parametrize(
    "message",
    [
        "estou com dor no peito",
        "Uma dor muito forte no peito desde cedo",
        "sinto um APERTO no peito e suor frio",
        "to com falta de ar",
        "não consigo respirar direito",
        "minha mãe desmaiou agora",
        "acho que é um infarto",
        "a boca ficou torta e o braço esquerdo dormente",
        "meu pai teve um AVC?",
        "vomitei sangue",
        "tomei todos os remédios da caixa",
        "minha garganta está fechando depois do camarão",
        "não tenho febre mas estou com falta de ar",
        "não durmo bem; dor no peito também",
    ],
)
def test_danger_to_the_body_is_heard(message: str) -> None:
    assert emergency_in(message) is Emergency.BODY


@pytest.mark.parametrize(
    "message",
    [
        "quero morrer",
        "só penso em me matar, de verdade",
        "Eu não aguento mais viver assim",
        "penso em me matar",
        "pensando em suicídio",
        "vou acabar com a minha vida",
        "queria não acordar amanhã",
        "tô com dor no peito e quero morrer",
        "nao quero mais viver",
    ],
)
def test_danger_to_life_is_heard_first(message: str) -> None:
    assert emergency_in(message) is Emergency.LIFE


@pytest.mark.parametrize(
    "message",
    [
        "não tenho dor no peito",
        "sem falta de ar, só cansaço",
        "filé de peito de frango com arroz",
        "quero matar minha fome",
        "vou morrer de fome até o jantar",
        "hoje vou me matar de treinar",
        "estou morrendo de vontade de comer doce",
        "qual a dor de não comer chocolate",
        "posso tomar café sem açúcar?",
        "batata assada na airfryer sem óleo",
        "quero parar de comer besteira",
    ],
)
def test_everyday_talk_is_no_emergency(message: str) -> None:
    assert emergency_in(message) is None


def test_the_advice_begins_with_what_to_do_and_names_the_numbers() -> None:
    assert all(advice.startswith("Procure atendimento") and "192" in advice for advice in ADVICE.values())
    assert "188" in ADVICE[Emergency.LIFE]
