"""Words of meal texts that are neither foods nor measures, all compared as stems (`maxnutrition.foods.words`)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from maxnutrition.foods.words import stem, stems_of

Meal: TypeAlias = Literal["breakfast", "morning_snack", "lunch", "snack", "dinner", "supper"]


def _stems(text: str) -> frozenset[str]:
    return frozenset(stems_of(text))


CONNECTORS = _stems("de do da dos das d of del")
JOINERS = _stems("e com c mais and with & plus junto acompanhado acompanhada tambem ainda depois ai")
NEGATIONS = _stems("nao nem n")
NEGATED_VERBS = _stems(
    "comi comer comia como bebi beber bebo tomei tomar tomo quis coloquei usei uso tinha teve tem havia almocei jantei "
    "repeti provei gosto"
)
TURNS = _stems("mas so apenas somente porem but only")
WITHOUT = _stems("sem without")
FILLERS = _stems(
    "a o as os ao à em no na nos nas para pra pro p por eu me minha meu mim que foi era fui ter tive tinha bem "
    "tipo mesmo comi comer como bebi beber tomei tomar almocei jantei lanchei belisquei peguei pedi fiz coloquei "
    "usei repeti consumi ingeri experimentei provei coloco uso provo foram hoje hj ontem agora cedo noite manha "
    "tarde dia bom boa oi ola obrigado obrigada aqui la depois antes entao so apenas somente uns umas cerca "
    "aproximadamente mais menos uma quase acho outro outra refeicao cardapio prato principal acompanhamento "
    "bebida sobremesa entrada gostoso gostosa delicioso caseiro caseira normal comum simples puro pura natural "
    "fresco fresca quente gelado gelada frio fria temperado temperada picado picada amassado amassada inteiro "
    "inteira maduro madura leve pronto feito feita i had ate have the for my some an at in on of was drank it "
    "this today yesterday sofia ok x mas ne total cada pele gordura osso casca natura estilo moda casa sua seu "
    "tamanho tudo isso "
)
LITTLE = _stems("pouco pouquinho little")
MUCH = _stems("muito bastante")

_MEALS: dict[Meal, str] = {
    "breakfast": "café da manhã|cafe manha|desjejum|breakfast|pequeno almoço",
    "morning_snack": "lanche da manhã|colação",
    "lunch": "almoço|almocei|lunch|almoçar",
    "snack": "lanche da tarde|café da tarde|lanche|lanchei|merenda|snack",
    "dinner": "jantar|janta|jantei|dinner",
    "supper": "ceia|supper|antes de dormir",
}
_OCCASIONS = "sobremesa|pré treino|pós treino|churrasco"
MEAL_PHRASES: dict[tuple[str, ...], Meal | None] = {
    **{stems_of(phrase): None for phrase in _OCCASIONS.split("|")},
    **{stems_of(phrase): meal for meal, phrases in _MEALS.items() for phrase in phrases.split("|")},
}
CONTAINERS = _stems("marmita marmitex quentinha vasilha bandeja pratada")
"""What holds several foods: "uma marmita de arroz e feijão" is both, "coração de frango" is no chicken."""

PREPARATIONS: dict[str, str] = {
    stem(word): canonical
    for canonical, words in {
        "grelhado": "grelhado grelhada chapa brasa churrasqueira grill grilled grelha",
        "frito": "frito frita fried fritinho",
        "assado": "assado assada forno airfryer roasted baked assadinho",
        "cozido": "cozido cozida vapor boiled ensopado ensopada",
        "refogado": "refogado refogada salteado salteada",
        "cru": "cru crua raw",
        "mexido": "mexido mexida scrambled",
        "moido": "moido moida",
        "desfiado": "desfiado desfiada",
        "ralado": "ralado ralada",
        "milanesa": "milanesa empanado empanada",
    }.items()
    for word in words.split()
}
"""What is done to a food, in one form; "na chapa" is "grelhado"."""

NEUTRAL_PREPARATIONS = frozenset({"cozido", "cru", "ralado", "refogado", "grelhado", "assado"})
"""Those that hardly change the figures where the table knows the food in another preparation only."""

SMALL, MEDIUM, LARGE = "pequena", "média", "grande"
SIZES: dict[str, str] = {
    stem(word): size
    for size, words in {
        SMALL: "pequeno pequena pequenininha pequenino mini small",
        MEDIUM: "medio media medium",
        LARGE: "grande grandona grandao large big fundo caprichado caprichada",
    }.items()
    for word in words.split()
}
LEVELS: dict[str, float] = {stem("cheia"): 1.0, stem("cheio"): 1.0, stem("rasa"): 0.6, stem("raso"): 0.6}
"""The measures of the table are heaped ones."""


def canonical(word: str) -> str:
    """The stem of a folded word, preparations in one form."""
    stemmed = stem(word)
    return PREPARATIONS.get(stemmed, stemmed)
