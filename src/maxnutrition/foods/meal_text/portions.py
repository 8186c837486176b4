"""From an amount of a food to grams, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from maxnutrition.foods.meal_text.items import Amount, Derivation
from maxnutrition.foods.meal_text.measures import VOLUMES_ML
from maxnutrition.foods.meal_text.vocabulary import LARGE, MEDIUM, SMALL
from maxnutrition.foods.model import PORTION, UNIT, Food

FALLBACK_PORTION = 100.0
MOST_GRAMS = 5000.0
_SIZE_FACTORS = {SMALL: 0.7, MEDIUM: 1.0, LARGE: 1.3}
_SIMILAR = {
    "pedaço": ("fatia", UNIT, PORTION),
    "fatia": ("pedaço", "rodela", PORTION),
    "rodela": ("fatia",),
    "filé": ("bife", "posta", PORTION),
    "bife": ("filé", PORTION),
    "posta": ("filé", "pedaço", PORTION),
    "pote": (UNIT, "copo", "tigela"),
    "copo": ("xícara", "pote"),
    "xícara": ("copo",),
    "prato": ("tigela", PORTION),
    "tigela": ("prato", "pote", "copo"),
    "caneca": ("xícara", "copo"),
    "barra": (UNIT,),
    "pacote": (UNIT,),
    "dose": ("colher de sopa",),
    "bola": (UNIT, "dose"),
    "dente": (UNIT,),
    "espiga": (UNIT,),
    "escumadeira": ("colher de servir",),
    "colher de servir": ("concha",),
    "colher de chá": ("ponta de faca",),
    "ramo": ("folha",),
    "gomo": ("pedaço",),
    "folha": ("prato",),
}


@dataclass(frozen=True, slots=True)
class Portion:
    grams: float
    derivation: Derivation
    amount: str
    confidence: float
    note: str | None = None


def weigh(food: Food, amount: Amount | None) -> Portion:
    """Always an answer: without a usable amount, a usual portion with little confidence."""
    if amount is None:
        return _usual(food, Amount(1.0))
    portion = _weigh(food, amount)
    if not 0 < portion.grams <= MOST_GRAMS:
        return _usual(food, Amount(1.0), "A quantidade escrita não parece possível; usei uma porção usual.")
    return portion


def _weigh(food: Food, amount: Amount) -> Portion:
    if amount.vague:
        return _usual(food, amount)
    if amount.unit is None:
        return _count(food, amount)
    if amount.unit.grams is not None:
        volume = amount.unit.kind == "volume"
        confidence = 0.95 if not volume else 0.9 if is_drink(food) else 0.7
        grams = amount.value * amount.unit.grams
        return Portion(
            grams, "volume" if volume else "weight", f"{_plain(amount.value)} {amount.unit.name}", confidence
        )
    return _by_measure(food, amount, amount.unit.name)


def is_drink(food: Food) -> bool:
    return food.group == "drinks" or (food.group == "dairy" and next(iter(food.measures), "") == "copo")


def _by_measure(food: Food, amount: Amount, measure: str) -> Portion:
    grams, named = _measured(food, measure, amount.size)
    if grams is not None:
        return _times(amount, grams, named, 0.9)
    for similar in _SIMILAR.get(measure, ()):
        grams, named = _measured(food, similar, amount.size)
        if grams is not None:
            return _times(amount, grams, named, 0.65, f"Não sei quanto pesa “{measure}” disso; usei “{named}”.")
    note = f"Não sei quanto pesa “{measure}” disso; usei uma porção usual."
    return _usual(food, Amount(1.0, size=amount.size), note)


def _measured(food: Food, measure: str, size: str | None) -> tuple[float | None, str]:
    """Grams of one, and under which name the table has it."""
    own = food.measures.get(measure)
    if own is None and is_drink(food):
        own = VOLUMES_ML.get(measure)
    vessel, *_ = measure.split()
    if own is None and vessel in {"copo", "xícara"}:
        own = food.measures.get(vessel)
    if size is None or size == MEDIUM:
        return own, measure
    for name, grams in food.measures.items():
        if name.startswith(measure) and name[len(measure) :].strip()[:4] == size[:4]:
            return grams, name
    return (None, measure) if own is None else (own * _SIZE_FACTORS[size], f"{measure} {size}")


def _count(food: Food, amount: Amount) -> Portion:
    grams, named = _measured(food, UNIT, amount.size)
    if grams is not None:
        return replace(_times(amount, grams, named, 0.85), derivation="count")
    return _usual(food, amount)


def _usual(food: Food, amount: Amount, note: str | None = None) -> Portion:
    grams, named = _measured(food, PORTION, amount.size)
    if (grams is None or named == f"{PORTION} {amount.size}") and UNIT in food.measures and amount.size:
        grams, named = _measured(food, UNIT, amount.size)
    if grams is None:
        return Portion(amount.value * FALLBACK_PORTION, "portion", "100 g, sem porção conhecida", 0.3, note)
    return replace(_times(amount, grams, named, 0.6, note), derivation="portion")


def _times(amount: Amount, grams: float, named: str, confidence: float, note: str | None = None) -> Portion:
    each = grams * amount.level
    text = f"{_plain(amount.value)} × {named} ({_plain(each)} g)"
    return Portion(amount.value * each, "measure", text, confidence, note)


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".").replace(".", ",")
