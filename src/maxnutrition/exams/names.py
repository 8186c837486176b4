"""The analytes we know by a canonical key, under the names Brazilian laboratories print."""

import re
from dataclasses import dataclass

from maxnutrition.contracts.medical_exam import ExamKind
from maxnutrition.exams.text import fold, squeeze


@dataclass(frozen=True, slots=True)
class Known:
    key: str
    panel: ExamKind


_PANELS: dict[ExamKind, dict[str, str]] = {
    "hemograma": {
        "red_blood_cells": "hemácias|eritrócitos|glóbulos vermelhos|hemácias em milhões",
        "hemoglobin": "hemoglobina|hb|hgb",
        "hematocrit": "hematócrito|ht|hct",
        "mcv": "vcm|v.c.m|volume corpuscular médio|vgm",
        "mch": "hcm|h.c.m|hemoglobina corpuscular média|hgm",
        "mchc": "chcm|c.h.c.m|concentração de hemoglobina corpuscular média|chgm",
        "rdw": "rdw|rdw-cv|r.d.w",
        "leukocytes": "leucócitos|leucócitos totais|glóbulos brancos|contagem de leucócitos",
        "band_neutrophils": "bastonetes|bastões|neutrófilos bastonetes",
        "segmented_neutrophils": "segmentados|neutrófilos segmentados",
        "neutrophils": "neutrófilos|neutrófilos totais",
        "lymphocytes": "linfócitos|linfócitos típicos|linfócitos totais",
        "atypical_lymphocytes": "linfócitos atípicos|linfócitos reativos",
        "monocytes": "monócitos",
        "eosinophils": "eosinófilos",
        "basophils": "basófilos",
        "metamyelocytes": "metamielócitos",
        "myelocytes": "mielócitos",
        "platelets": "plaquetas|contagem de plaquetas",
        "mpv": "vpm|mpv|volume plaquetário médio",
        "reticulocytes": "reticulócitos",
    },
    "perfil lipídico": {
        "total_cholesterol": "colesterol total|colesterol",
        "hdl_cholesterol": "colesterol hdl|hdl|hdl colesterol|hdl-c",
        "ldl_cholesterol": "colesterol ldl|ldl|ldl colesterol|ldl-c",
        "vldl_cholesterol": "colesterol vldl|vldl|vldl colesterol|vldl-c",
        "non_hdl_cholesterol": "colesterol não hdl|colesterol não-hdl|não hdl|não hdl colesterol",
        "triglycerides": "triglicerídeos|triglicérides|triglicerídios",
    },
    "glicemia": {
        "glucose": "glicose|glicemia|glicemia de jejum|glicose de jejum|glicose em jejum|glicemia em jejum",
        "hba1c": "hemoglobina glicada|hemoglobina glicosilada|hba1c|hemoglobina glicada a1c|hemoglobina glicada hba1c",
        "estimated_average_glucose": "glicose média estimada|glicemia média estimada",
        "insulin": "insulina|insulina basal|insulina de jejum",
        "homa_ir": "homa-ir|homa ir|índice homa|índice homa-ir",
    },
    "tireoide": {
        "tsh": "tsh|hormônio tireoestimulante|tireotrofina|tsh hormônio tireoestimulante|tsh us|tsh-us",
        "free_t4": "t4 livre|t4l|tiroxina livre|t4 livre tiroxina livre",
        "total_t4": "t4|t4 total|tiroxina",
        "free_t3": "t3 livre|t3l|triiodotironina livre",
        "total_t3": "t3|t3 total|triiodotironina",
        "anti_tpo": "anti-tpo|anticorpos anti-tpo|anticorpo anti-tpo|anti tpo|anti-peroxidase|"
        "anticorpos antiperoxidase|anticorpos anti-peroxidase tireoidiana|antiperoxidase",
        "anti_thyroglobulin": "antitireoglobulina|anti-tireoglobulina|anticorpos anti-tireoglobulina|anti-tg|"
        "anticorpos antitireoglobulina",
    },
    "função hepática": {
        "ast": "ast|tgo|ast tgo|tgo ast|aspartato aminotransferase|transaminase oxalacética",
        "alt": "alt|tgp|alt tgp|tgp alt|alanina aminotransferase|transaminase pirúvica",
        "ggt": "ggt|gama gt|gama-gt|gama glutamil transferase|gama glutamiltransferase",
        "alkaline_phosphatase": "fosfatase alcalina",
        "total_bilirubin": "bilirrubina total|bilirrubinas totais",
        "direct_bilirubin": "bilirrubina direta",
        "indirect_bilirubin": "bilirrubina indireta",
        "albumin": "albumina",
        "total_protein": "proteínas totais|proteína total",
        "globulin": "globulina|globulinas",
    },
    "função renal": {
        "creatinine": "creatinina",
        "urea": "ureia|uréia",
        "uric_acid": "ácido úrico",
        "egfr": "taxa de filtração glomerular|tfg|rfg|filtração glomerular estimada|ritmo de filtração glomerular|etfg",
        "microalbuminuria": "microalbuminúria|albuminúria",
    },
    "eletrólitos": {
        "sodium": "sódio",
        "potassium": "potássio",
        "chloride": "cloro|cloreto|cloretos",
        "calcium": "cálcio|cálcio total",
        "ionized_calcium": "cálcio iônico|cálcio ionizado",
        "magnesium": "magnésio",
        "phosphorus": "fósforo",
    },
    "ferro": {
        "ferritin": "ferritina",
        "iron": "ferro",
        "transferrin": "transferrina",
        "transferrin_saturation": "saturação da transferrina|saturação de transferrina|ist",
        "tibc": "capacidade total de ligação do ferro|ctlf|tibc|capacidade de ligação total do ferro",
    },
    "vitaminas": {
        "vitamin_d": "vitamina d|25-hidroxivitamina d|25 hidroxivitamina d|25-oh vitamina d|vitamina d 25 oh|"
        "vitamina d 25-hidroxi|vitamina d3|25-hidroxi vitamina d",
        "vitamin_b12": "vitamina b12|cobalamina|vitamina b-12",
        "folic_acid": "ácido fólico|folato|folatos",
        "vitamin_c": "vitamina c|ácido ascórbico",
        "vitamin_a": "vitamina a|retinol",
        "zinc": "zinco",
    },
    "hormônios": {
        "cortisol": "cortisol",
        "total_testosterone": "testosterona|testosterona total",
        "estradiol": "estradiol",
        "fsh": "fsh|hormônio folículo estimulante",
        "lh": "lh|hormônio luteinizante",
        "prolactin": "prolactina",
        "progesterone": "progesterona",
        "psa": "psa|psa total|antígeno prostático específico",
        "pth": "pth|paratormônio",
    },
    "inflamação": {
        "crp": "proteína c reativa|pcr|proteína c-reativa|proteína c reativa ultrassensível|pcr ultrassensível",
        "esr": "vhs|velocidade de hemossedimentação|hemossedimentação",
        "homocysteine": "homocisteína",
        "fibrinogen": "fibrinogênio",
    },
}
DIFFERENTIAL = frozenset(
    {
        "band_neutrophils",
        "segmented_neutrophils",
        "neutrophils",
        "lymphocytes",
        "atypical_lymphocytes",
        "monocytes",
        "eosinophils",
        "basophils",
        "metamyelocytes",
        "myelocytes",
        "reticulocytes",
    }
)

NAMES = {key: names for entries in _PANELS.values() for key, names in entries.items()}
PANEL_OF = {key: panel for panel, entries in _PANELS.items() for key in entries}
_BY_NAME = {squeeze(name): Known(key, PANEL_OF[key]) for key, names in NAMES.items() for name in names.split("|")}

_QUALIFIERS = re.compile(
    r"^(?:dosagem|pesquisa|determinacao)\s+d[eoa]s?\b"
    r"|\b(?:seric[oa]|plasmatic[oa]|sanguine[oa]|no soro|soro|basal|em jejum|de jejum|ultra-?\s?s?sensivel"
    r"|automatizad[oa]|calculad[oa]|estimad[oa])\b"
    r"|\b(?:na\s)?(?:1\s?[aªo]?|primeira)\s?hora\b"
)


def find_exact(name: str) -> Known | None:
    return _BY_NAME.get(squeeze(name))


def find_analyte(name: str) -> Known | None:
    """Exact up to accents, case, lost spaces and qualifiers ("sérico", "(TGO)"); near misses are not guessed."""
    folded = fold(name)
    outside = re.sub(r"\([^)]{0,60}\)?", " ", folded)
    inside = " ".join(re.findall(r"\(([^)]{1,60})\)", folded))
    for candidate in (folded, outside, _QUALIFIERS.sub(" ", outside), inside, re.split(r"\s[-–—]\s|,", outside)[0]):
        known = find_exact(candidate)
        if known is not None:
            return known
    return None
