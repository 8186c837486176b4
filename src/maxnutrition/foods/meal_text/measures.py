"""Units of weight and volume, and household measures under all the names people give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from maxnutrition.foods.meal_text.tokens import Token
from maxnutrition.foods.words import stems_of

UnitKind: TypeAlias = Literal["weight", "volume", "household"]


@dataclass(frozen=True, slots=True)
class Unit:
    """`grams` (or ml) of one, where that does not depend on the food."""

    kind: UnitKind
    name: str
    grams: float | None = None


_WEIGHTS = {"g|gr|grs|gm|grama|gramas|gram|grams": 1.0, "kg|quilo|kilo|quilos|k": 1000.0, "mg": 0.001, "oz": 28.0}
_VOLUMES = {"ml|mls|mililitro|mililitros": 1.0, "l|lt|litro|litros|liter": 1000.0, "dl": 100.0}
_HOUSEHOLD = {
    "colher de sopa": "colher sopa|colher de sopa|col sopa|col de sopa|colh sopa|colh de sopa|cs|c sopa|c de sopa"
    "|colher|col|colh|colherada|tablespoon|tbsp|spoon|colheres",
    "colher de chá": "colher cha|colher de cha|col cha|col de cha|c cha|c de cha|colherzinha|colherinha|teaspoon|tsp",
    "colher de sobremesa": "colher sobremesa|colher de sobremesa|col sobremesa|col de sobremesa|c sobremesa",
    "colher de café": "colher de cafe|colher cafe|col de cafe|col cafe|colherinha de cafe",
    "colher de servir": "colher de servir|colher servir|col de servir|colher grande|colherona|colher de pau",
    "xícara": "xicara|xic|xicara cha|xicara de cha|xicara grande|cup|xicrinha|xicarazinha",
    "xícara pequena": "xicara cafe|xicara de cafe|xicara de cafezinho|xicara pequena",
    "copo": "copo|copo de vidro|glass|copo medio|copinho",
    "copo americano": "copo americano",
    "copo de requeijão": "copo de requeijao|copo requeijao",
    "copo pequeno": "copo pequeno",
    "copo grande": "copo grande|copao|copo duplo|copo de liquidificador",
    "fatia": "fatia|fatiazinha|slice|fatia fina|fat",
    "unidade": "unidade|un|und|unid|uni|unit|piece of",
    "filé": "file|filezinho|fillet|filet",
    "bife": "bife",
    "posta": "posta",
    "porção": "porcao|porcaozinha|serving|portion|por",
    "lata": "lata|can",
    "latinha": "latinha",
    "latão": "latao",
    "long neck": "long neck|longneck",
    "garrafa": "garrafa|bottle|garrafinha",
    "pacote": "pacote|pct|pacotinho|saquinho",
    "pote": "pote|potinho|copinho de",
    "pegador": "pegador|pegada",
    "folha": "folha|folhinha|leaf",
    "ramo": "ramo|raminho|florete|buque|maco",
    "bola": "bola|scoop",
    "dose": "dose|scoop|medida|shot|medidor",
    "gomo": "gomo",
    "rodela": "rodela|rodelinha",
    "pedaço": "pedaco|pedacinho|pedacao|naco|piece|teco",
    "punhado": "punhado|mao cheia|mao|handful|punhadinho",
    "prato": "prato|pratinho|pratao|prato fundo|prato raso|plate|prato de sobremesa",
    "tigela": "tigela|bowl|tigelinha|cumbuca",
    "barra": "barra",
    "sachê": "sache|envelope",
    "caneca": "caneca|mug|canecao",
    "taça": "taca|tacinha",
    "cacho": "cacho|cachinho",
    "quadradinho": "quadradinho|quadrado|tablete|square",
    "ponta de faca": "ponta de faca",
    "metade": "banda",
    "fio": "fio",
    "caixa": "caixa",
    "caixinha": "caixinha",
    "concha": "concha|ladle",
    "escumadeira": "escumadeira",
    "gota": "gota|gotinha",
    "espiga": "espiga",
    "garfada": "garfada",
    "cubo": "cubo|cubinho",
    "dente": "dente",
    "pitada": "pitada",
    "palito": "palito",
    "dedo": "dedo",
    "jarra": "jarra",
    "gole": "gole",
    "cuia": "cuia",
    "pires": "pires",
}
VOLUMES_ML = {
    "colher de sopa": 15.0,
    "colher de chá": 5.0,
    "colher de sobremesa": 10.0,
    "colher de café": 2.5,
    "xícara": 200.0,
    "xícara pequena": 50.0,
    "copo": 200.0,
    "copo americano": 190.0,
    "copo de requeijão": 250.0,
    "copo pequeno": 150.0,
    "copo grande": 300.0,
    "caneca": 250.0,
    "taça": 150.0,
    "lata": 350.0,
    "latinha": 220.0,
    "latão": 473.0,
    "long neck": 355.0,
    "garrafa": 500.0,
    "caixinha": 200.0,
    "caixa": 1000.0,
    "jarra": 1000.0,
    "dose": 50.0,
    "gole": 20.0,
    "dedo": 50.0,
    "concha": 130.0,
}
"""Of vessels, for drinks whose own measures do not name them."""


def _build() -> dict[tuple[str, ...], Unit]:
    units: dict[tuple[str, ...], Unit] = {}
    tables: tuple[tuple[UnitKind, dict[str, float]], ...] = (("weight", _WEIGHTS), ("volume", _VOLUMES))
    for kind, table in tables:
        for names, grams in table.items():
            shown, *_ = names.split("|")
            units.update({stems_of(name): Unit(kind, shown, grams) for name in names.split("|")})
    for measure, names in _HOUSEHOLD.items():
        for name in names.split("|"):
            units.setdefault(stems_of(name), Unit("household", measure))
    return units


_UNITS = _build()
_LONGEST = max(map(len, _UNITS))
MEASURE_WORDS = frozenset(word for name in _UNITS for word in name)


@dataclass(frozen=True, slots=True)
class UnitFound:
    unit: Unit
    words: int
    end: int
    """Index of the token behind it."""


def read_unit(tokens: Sequence[Token], at: int) -> list[UnitFound]:
    """Every unit that begins here, the longest name first. Parentheses and dots inside are passed over."""
    found: list[UnitFound] = []
    words: list[str] = []
    for index in range(at, min(len(tokens), at + 2 * _LONGEST)):
        token = tokens[index]
        if token.kind == "mark" and words and token.word in "().":
            continue
        if token.kind != "word":
            break
        words.append(token.word)
        unit = _UNITS.get(tuple(words))
        if unit is not None:
            found.append(UnitFound(unit, len(words), index + 1))
    return found[::-1]
