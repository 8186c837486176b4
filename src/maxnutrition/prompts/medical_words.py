"""Words that the red lines are made of, in folded text: lower case, no accents.

A star stands for any ending, an underscore for a blank.
"""

from __future__ import annotations

_DISEASES = """
    pre-diabetes prediabetes pre_diabetes diabet* hipertens* pressao_alta anemi* hipotireoid*
    hipertireoid* colesterol_alto dislipidemi* gordura_no_figado esteatose* obes* desnutri* depress* ansiedade
    transtorno* anorexi* bulimi* cancer* tumor* gastrite ulcera* refluxo celiac* intoleran* alergi* sindrome*
    infec* inflamac* insuficiencia* deficiencia* resistencia_a_insulina arritmi* apneia gota artrite artrose
    osteoporose hepatite nefrite cirrose trombose problema_cardiaco problema_renal problema_hepatico
    problema_no_coracao problema_nos_rins problema_na_tireoide problema_no_figado problemas_cardiacos
    problemas_renais
"""
_MEDICINES = """
    remedi* medicament* medicac* comprimid* antibiotic* anti-inflamatori* antiinflamatori* corticoid*
    antidepressiv* ansiolitic* diuretic* laxante* insulina metformina glifage glibenclamida gliclazida
    dapagliflozina empagliflozina losartana enalapril captopril anlodipino atenolol propranolol
    hidroclorotiazida furosemida sinvastatina atorvastatina rosuvastatina levotiroxina puran omeprazol
    pantoprazol ozempic wegovy mounjaro semaglutida tirzepatida liraglutida saxenda sibutramina orlistate
    ibuprofeno dipirona paracetamol nimesulida diclofenaco aspirina aas prednisona dexametasona amoxicilina
    azitromicina fluoxetina sertralina escitalopram rivotril clonazepam diazepam zolpidem ritalina testosterona
    sulfato_ferroso melatonina suplemento_de_ferro suplemento_de_vitamina* suplemento_de_calcio
    suplemento_de_zinco suplemento_de_magnesio suplemento_de_iodo suplementacao
"""
_ADVISING = """
    tome tomar tomando use usar inicie iniciar comece comecar suspenda suspender pare parar interrompa
    interromper aumente aumentar diminua diminuir reduza reduzir troque trocar substitua substituir ajuste
    ajustar aplique aplicar injete prescrevo receito recomendo indico sugiro experimente
"""


def _any_of(words: str) -> str:
    pattern = "|".join(words.split()).replace("_", " ").replace("*", r"\w*")
    return f"(?:{pattern})"


DISEASE = _any_of(_DISEASES)
MEDICINE = _any_of(_MEDICINES)
ADVISING = _any_of(_ADVISING)
