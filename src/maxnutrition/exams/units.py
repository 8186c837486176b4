"""Units of Brazilian reports in one spelling, whatever OCR made of them."""

import re

from maxnutrition.exams.text import fold

_SPELLINGS = {
    "g/dL": "g/dl|g%",
    "mg/dL": "mg/dl|mg%",
    "µg/dL": "ug/dl|mcg/dl",
    "ng/dL": "ng/dl",
    "pg/dL": "pg/dl",
    "g/L": "g/l",
    "mg/L": "mg/l",
    "µg/L": "ug/l|mcg/l",
    "ng/L": "ng/l",
    "µg/mL": "ug/ml|mcg/ml",
    "ng/mL": "ng/ml",
    "pg/mL": "pg/ml",
    "µUI/mL": "uui/ml|mcui/ml|microui/ml",
    "µU/mL": "uu/ml",
    "mUI/L": "mui/l",
    "mUI/mL": "mui/ml",
    "mU/L": "mu/l",
    "UI/mL": "ui/ml",
    "UI/L": "ui/l",
    "kUI/L": "kui/l",
    "U/mL": "u/ml",
    "U/L": "u/l",
    "mEq/L": "meq/l",
    "mmol/L": "mmol/l",
    "mmol/mol": "mmol/mol",
    "µmol/L": "umol/l|mcmol/l",
    "nmol/L": "nmol/l",
    "pmol/L": "pmol/l",
    "fL": "fl",
    "pg": "pg",
    "%": "%",
    "/mm³": "/mm3|/mm|cel/mm3|cels/mm3|celulas/mm3",
    "mil/mm³": "mil/mm3|mil/mm",
    "milhões/mm³": "milhoes/mm3|milhoes/mm|milh/mm3|mi/mm3",
    "/µL": "/ul|cel/ul|celulas/ul",
    "mil/µL": "mil/ul",
    "milhões/µL": "milhoes/ul|milh/ul",
    "10³/µL": "x103/ul|103/ul|k/ul",
    "10⁶/µL": "x106/ul|106/ul|m/ul",
    "10³/mm³": "x103/mm3|103/mm3",
    "10⁶/mm³": "x106/mm3|106/mm3",
    "mm/h": "mm/h|mm/hora|mm/1h|mm/1ahora|mmna1ahora|mm",
    "mL/min/1,73m²": "ml/min/1,73m2|ml/min/1,73m|ml/min/1.73m2|ml/min/1,73",
    "mL/min": "ml/min",
    "seg": "seg|segundos",
    "mg/g": "mg/g",
    "mg/24h": "mg/24h|mg/24horas",
    "g/24h": "g/24h|g/24horas",
}
_SIGNS = str.maketrans(
    {"µ": "u", "μ": "u", "³": "3", "⁶": "6", "²": "2", "^": "", "*": "", "i": "l", "1": "l", "|": "l"}
)
_UNSEEN = re.compile(r"[a-zµμ]{1,6}/[a-zµμ0-9³²]{1,6}")
_BEHIND_NAME = re.compile(r"[\s,]+(?:em\s+)?(?=(\S.*$))", re.IGNORECASE)
_TOKENS = re.compile(r"\s*\S+")


def _signature(text: str) -> str:
    return "".join(fold(text).split()).translate(_SIGNS).strip(".:;()[]")


_CANONICAL = {_signature(spelling): unit for unit, spellings in _SPELLINGS.items() for spelling in spellings.split("|")}
_SLASH_LOST = {
    signature.replace("/", ""): unit
    for signature, unit in _CANONICAL.items()
    if signature.count("/") == 1 and len(signature) > 3 and signature[0] != "/"
}


def is_canonical(unit: str) -> bool:
    return unit in _SPELLINGS


def read_unit(text: str) -> tuple[str, int] | None:
    """The unit that `text` begins with and its length there. A unit never seen, but shaped like one, is kept."""
    ends = [token.end() for token in _TOKENS.finditer(text[:60])][:4]
    for end in reversed(ends):
        unit = _CANONICAL.get(_signature(text[:end])) or _mended(text[:end])
        if unit is not None:
            return unit, end
    if ends and _UNSEEN.fullmatch(fold(text[: ends[0]].strip())):
        return text[: ends[0]].strip(), ends[0]
    return None


def _mended(text: str) -> str | None:
    """Without its slash "mgdL" is still clear; "ul" may be two units, but only U/L is written in capitals."""
    return "U/L" if text.strip() == "UL" else _SLASH_LOST.get(_signature(text))


def split_unit(name: str) -> tuple[str, str | None]:
    """The unit that some laboratories print behind the name: "V.C.M. (fL)", "Hemácias em milhões/mm³"."""
    for found in _BEHIND_NAME.finditer(name):
        unit = _CANONICAL.get(_signature(found[1]))
        if unit is not None:
            return name[: found.start()], unit
    return name, None
