"""What no model says to our users, checked sentence by sentence: no diagnosis, no prescription, no dose.

This is the net under the prompts. It reads words, not meaning: it takes away some harmless sentences, and a model that
wanted to get past it could.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from maxnutrition.exams.text import fold
from maxnutrition.prompts.medical_words import ADVISING, DISEASE, MEDICINE

RedLine = Literal["diagnosis", "prescription", "dose"]
INSTEAD = "Sobre diagnóstico, remédios e doses, converse com um profissional de saúde."

SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*(?:[.!?]+|\n+|$)\s*")


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})")


_YOU = r"(?:voce|vc|tu|o senhor|a senhora)"
_ADVERBS = r"(?:(?:provavelmente|claramente|certamente|ja|pode|deve|parece|realmente|agora) ){0,2}"
_HAS = r"(?:tem|ter|esta com|estar com|sofre de|e|desenvolveu|desenvolvendo|apresenta|apresentar)"
_SOME = r"(?:(?:um|uma|algum|alguma|quadro de|inicio de|caso de|sinais de|claramente|provavelmente) ){0,3}"
_IT = r"(?:is[st]o|ess[ea]s? \w+|est[ea]s? \w+|seus? (?:sintomas?|exames?|valor(?:es)?|resultados?))"
_MEANS = r"(?:e|sao|signific\w*|indic\w*|confirm\w*|mostr\w*|caracteriz\w*|suger\w*|configur\w*)"
DIAGNOSIS = _any_of(
    rf"{_YOU} {_ADVERBS}{_HAS} {_SOME}{DISEASE}\b",
    r"(?:seu|o|meu) diagnostico (?:e|seria|provavel|aponta|indica)\b",
    r"diagnostico\s*:",
    r"diagnostico voce\b",
    rf"(?:trata-se|isso se trata) de {_SOME}{DISEASE}\b",
    rf"{_IT} {_MEANS} (?:que {_YOU} {_HAS} )?{_SOME}{DISEASE}\b",
)
OPEN = re.compile(r"^\W*(?:se|caso|quando|quem|pessoas que)\b|\?\s*$")
NOT_SAYING = re.compile(r"\bnao (?:posso|consigo|da para|e possivel|signific\w*|indic\w*|quer dizer|devo|sei|e|sao)\b")

# What the body does with its own insulin is no medicine.
PHYSIOLOGY = re.compile(
    r"\b(?:picos?|nive(?:l|is)|resistencia|sensibilidade|producao|liberacao|resposta) (?:de|a) insulina"
)

PRESCRIPTION = _any_of(rf"{ADVISING}\b.{{0,80}}\b{MEDICINE}\b", r"(?:prescrevo|receito)\b")
_HELPER = r"(?:medic[oa]|profissional|farmaceutic[oa]|nutricionista)"
WITH_HELP = _any_of(
    r"sem (?:antes )?(?:a |uma )?(?:fal|convers|consult|orient|avali|indic|prescri|receita|acompanh)\w*",
    rf"(?:so|somente|apenas) (?:tome|use|com)\b.{{0,60}}\b(?:orienta\w+|receita|prescri\w+|{_HELPER})",
    rf"(?:pergunte|converse|fale|consulte|procure|leve)\b.{{0,60}}\b{_HELPER}",
    r"(?:como|conforme) (?:o |a |seu |sua )?(?:medic[oa]|prescri\w+|receita)",
)

_NUMBER = r"\d+(?:[.,]\d+)?\s?"
_AMOUNT = rf"{_NUMBER}(?:mg|mcg|µg|ug|g|ml|unidades)\b(?!\s?/)"
DOSE = _any_of(
    rf"{_NUMBER}(?:comprimid\w+|gotas?\b|ui\b|ampolas?\b|capsulas? d[eo] {MEDICINE})",
    rf"{_AMOUNT}.{{0,60}}\b{MEDICINE}\b",
    rf"{MEDICINE}\b.{{0,60}}\b{_AMOUNT}",
    rf"{MEDICINE}\b.{{0,60}}\b(?:a cada \d+|de \d+ em \d+) horas",
    r"(?:dobr|aument|diminu|reduz)\w+ a (?:sua )?dose\b",
)


@dataclass(frozen=True, slots=True)
class Held:
    text: str
    crossed: tuple[RedLine, ...]
    """For the log: what was taken away, without its words."""


def hold(text: str) -> Held:
    """`text` without the sentences that cross a line; one sentence says once what to do instead."""
    kept: list[str] = []
    crossed: list[RedLine] = []
    for found in SENTENCE.finditer(text):
        sentence = found[0]
        line = line_crossed_by(sentence)
        if line is None:
            kept.append(sentence)
            continue
        if not crossed:
            kept.append(INSTEAD + (sentence[len(sentence.rstrip()) :] or " "))
        crossed.append(line)
    return Held("".join(kept).strip() if crossed else text, tuple(crossed))


def line_crossed_by(sentence: str) -> RedLine | None:
    folded = re.sub(r"[*_\s]+", " ", fold(sentence)).strip()
    treating = PHYSIOLOGY.sub("", folded)
    if DOSE.search(treating):
        return "dose"
    if PRESCRIPTION.search(treating) and not WITH_HELP.search(treating):
        return "prescription"
    if DIAGNOSIS.search(folded) and not OPEN.search(folded) and not NOT_SAYING.search(folded):
        return "diagnosis"
    return None
