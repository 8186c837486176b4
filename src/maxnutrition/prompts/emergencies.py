"""Words after which the first thing a user reads is where to find help, whatever a model would have said.

Too often is better than too seldom. Only a plain denial right before the words ("não tenho dor no peito") is believed.
"""

from __future__ import annotations

import re
from enum import Enum

from maxnutrition.exams.text import fold


class Emergency(Enum):
    BODY = "body"
    LIFE = "life"


ADVICE = {
    Emergency.BODY: (
        "Procure atendimento agora: ligue 192 (SAMU) ou vá ao pronto-socorro mais próximo. "
        "O que você descreve precisa ser visto por um profissional sem demora."
    ),
    Emergency.LIFE: (
        "Procure atendimento agora: ligue 188 (CVV, gratuito, 24 horas) para conversar com alguém, ou 192 (SAMU) se "
        "houver perigo imediato. Você não está só, e falar com alguém de confiança também ajuda."
    ),
}

# Folded text: lower case, no accents, single spaces.
_NOT_A_SAYING = (
    r"(?! (?:de|na|no|com) (?:tanto |muito )?(?:rir|fome|vontade|amor|calor|vergonha|sono|treino|academia|\w+r)\b)"
)
_LIFE = (
    rf"(?:quero|kero|queria|vou|vontade de|pens(?:o|ei|ando) em|melhor) (?:morrer|me enforcar){_NOT_A_SAYING}",
    rf"(?:me|mim|se) mat(?:ar|o|ei)\b{_NOT_A_SAYING}",
    r"suicid\w*",
    r"(?:tirar|acabar com|(?:dar|por) (?:um )?fim [nd]?a) (?:a )?(?:minha (?:propria )?|propria )vida",
    r"(?:nao (?:quero|aguento|consigo)|cansei de|cansad[oa] de) (?:mais )?viver",
    r"nao vale (?:mais )?a pena viver",
    r"(?:queria|quero) (?:estar mort[oa]|nao acordar|sumir (?:para|pra) sempre)",
    r"me cort(?:ar|o|ei|ando) (?:de proposito|os pulsos|tod[oa])",
    r"cortar os pulsos",
    r"automutil\w*",
    r"want to die",
    r"kill myself",
)
_STRONG = r"(?: (?:muito |bem |tao )?(?:forte|intensa|grande|ruim|aguda))?"
_NUMB = r"(?:dormente|paralisad[oa]|sem forca)"
_BODY = (
    rf"(?:dor|dores|aperto|pressao|pontadas?|queimacao|peso){_STRONG} (?:n?o|do lado esquerdo do) (?:meu )?peito",
    r"dor toracica",
    r"peito (?:esta |ta |ficou )?(?:doendo|apertado|apertando)",
    r"(?:falta|faltando|sem) (?:de |d |o )?(?:ar|folego)",
    r"(?:nao (?:consigo|(?:estou|to) conseguindo)|dificuldade (?:para|pra|de|em)) respirar",
    r"sufoc(?:ando|ad[oa])",
    r"engasgad[oa]",
    r"desmai(?:ei|o|ou|ando|ar)",
    r"perd(?:i|eu|endo) (?:a consciencia|os sentidos)",
    r"inconsciente",
    r"convuls\w*",
    r"(?:infart|enfart)\w*",
    r"avc",
    r"derrame cerebral",
    r"(?:boca|rosto) (?:ficou |esta |ta )?tort[oa]",
    r"fala enrolada",
    rf"(?:braco|perna|rosto|lado do corpo) (?:direit[oa] |esquerd[oa] )?(?:ficou |esta |ta )?{_NUMB}",
    r"(?:vomit|toss|evacu|cusp)\w* (?:com )?sangue",
    r"sangramento (?:que nao para|intenso|forte)",
    r"muito sangue",
    r"overdose",
    r"envenen\w*",
    r"intoxica(?:do|da|cao)",
    r"tomei (?:(?:tod|vari|muit)[oa]s|(?:um)?a caixa)(?: (?:os|as|de|d[oa]s|meus))* (?:remedi|comprimi|calman)\w*",
    r"garganta (?:esta |ta |ficou )?(?:fechando|fechada|inchada)",
    r"(?:lingua|labios?|glote) (?:esta |ta |ficou )?inchad\w+",
    r"anafila\w*",
    r"chest pain",
    r"can'?t breathe",
)
DENIED = re.compile(
    r"(?:\bsem|\bnem|\bnunca (?:tive|senti)|\bnao (?:tenho|sinto|senti|tive|estou com|to com|ha|tem|teve))"
    r"(?: mais| nenhuma?)?\s*$"
)


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


OF_LIFE, OF_BODY = _any_of(_LIFE), _any_of(_BODY)


def emergency_in(text: str) -> Emergency | None:
    """A danger to life comes first."""
    folded = re.sub(r"\s+", " ", fold(text))
    if OF_LIFE.search(folded):
        return Emergency.LIFE
    for found in OF_BODY.finditer(folded):
        if not DENIED.search(folded[: found.start()]):
            return Emergency.BODY
    return None
