"""The parser on the layouts that Brazilian laboratories print, one test a layout."""

import pytest

from analysis_worker import PermanentError
from maxnutrition.contracts.medical_exam import DISCLAIMER
from maxnutrition.exams.names import NAMES
from maxnutrition.exams.text import squeeze
from tests.unit.maxnutrition.pages import analytes, bounds, only, page, report


@pytest.mark.parametrize(
    "row",
    [
        "Hemoglobina | 13,2 | g/dL | 12,0 a 15,5",
        "Hemoglobina | 13,2 g/dL | 12,0 - 15,5 g/dL",
        "Hemoglobina | 12,0 a 15,5 | 13,2 | g/dL",
        "Hemoglobina | g/dL | 12,0 a 15,5 | 13,2",
        "Hemoglobina | 13,2 | 12,0 a 15,5 | g/dL",
        "Hemoglobina | 13,2 | 12,0 a 15,5 g/dL",
        "Hemoglobina........: 13,2 g/dL   VR: 12,0 a 15,5",
        "Hemoglobina…………13,2 g/dL (12,0 a 15,5)",
        "HEMOGLOBINA 13,2 g/dL Valores de referência: 12,0 a 15,5 g/dL",
        "Hemoglobina: 13,2g/dL Valoresdereferência:12,0 a 15,5g/dL",
        "Hemogl0bina | 13,2 | g/dL | 12,0 a 15,5",
        "Hemoglobina (g/dL) | 13,2 | 12,0 a 15,5",
        "Hemoglobina em g/dL......: 13,2   12,0 a 15,5",
        "Hemoglobina 13,2 12,0-15,5 g/dL",
        "HEMOGLOBINA, sangue total: 13,2 g/dL (VR 12,0 a 15,5)",
    ],
)
def test_one_result_is_read_from_every_order_of_columns(row: str) -> None:
    analyte = only(row)
    assert (analyte.key, analyte.value, analyte.unit, analyte.flag) == ("hemoglobin", 13.2, "g/dL", "normal")
    assert bounds(analyte) == (12.0, 15.5)


def test_the_reference_may_stand_under_the_result() -> None:
    analyte = only("TSH | 6,82 µUI/mL\nValores de referência:\n0,40 a 4,30 µUI/mL")
    assert (analyte.flag, bounds(analyte)) == ("high", (0.4, 4.3))


def test_a_block_gives_its_title_to_the_result_below() -> None:
    page_text = """
        COLESTEROL TOTAL
        Material: soro   Método: enzimático | Valores de referência:
        | Desejável: inferior a 190 mg/dL
        Resultado: 238 mg/dL
        COLESTEROL HDL
        Resultado: 38 mg/dL | Desejável: superior a 40 mg/dL
    """
    total, hdl = analytes(page_text)
    assert (total.key, total.value, total.flag, bounds(total)) == ("total_cholesterol", 238, "high", (None, 190))
    assert (hdl.key, hdl.value, hdl.flag, bounds(hdl)) == ("hdl_cholesterol", 38, "low", (40, None))


def test_a_title_that_no_dictionary_knows_names_its_block() -> None:
    analyte = only("Aldolase\nResultado: 5,2 U/L\nValor de referência: até 7,6 U/L")
    assert (analyte.name, analyte.key, analyte.value, analyte.flag) == ("Aldolase", None, 5.2, "normal")


def test_the_desirable_row_of_a_table_is_the_range() -> None:
    rows = "Glicose: 110 mg/dL\nNormal: 70 a 99 mg/dL\nPré-diabetes: 100 a 125 mg/dL\nDiabetes: superior a 126 mg/dL"
    analyte = only(rows)
    assert (analyte.flag, bounds(analyte)) == ("high", (70, 99))


def test_a_table_of_risks_leaves_the_flag_unknown() -> None:
    analyte = only("LDL | 161 mg/dL\nRisco baixo: inferior a 130\nRisco alto: inferior a 70")
    assert (analyte.flag, bounds(analyte)) == ("unknown", (None, None))


@pytest.mark.parametrize(
    "reference",
    [
        "Homens: 13,5 a 17,5 Mulheres: 12,0 a 15,5",
        "Homens: 13,5 a 17,5 | Mulheres: 12,0 a 15,5",
        "Homens: 13,5 a 17,5\nMulheres: 12,0 a 15,5",
        "Homens:\n13,5 a 17,5\nMulheres:\n12,0 a 15,5",
        "Masc.: 13,5 a 17,5 Fem.: 12,0 a 15,5",
    ],
)
def test_ranges_by_sex_leave_the_flag_unknown(reference: str) -> None:
    analyte = only(f"Hemoglobina | 11,0 g/dL\nVR: {reference}")
    assert analyte.flag == "unknown"
    assert bounds(analyte) == (None, None)
    assert analyte.reference is not None
    assert "13,5 a 17,5" in analyte.reference.text
    assert "12,0 a 15,5" in analyte.reference.text


def test_a_single_range_for_one_sex_applies() -> None:
    assert only("Hemoglobina | 11,0 g/dL\nVR: Mulheres: 12,0 a 15,5").flag == "low"


def test_ranges_by_age_leave_the_flag_unknown() -> None:
    rows = "Fosfatase alcalina: 210 U/L\nAdultos: 40 a 129 U/L\nDe 1 a 12 anos: 140 a 420 U/L"
    assert only(rows).flag == "unknown"


def test_a_leucogram_has_a_percent_and_an_absolute_result_per_cell() -> None:
    rows = """
        Leucograma | % | /mm³ | Ref. (%) | Ref. (/mm³)
        Segmentados | 71,0 | 8.861 | 40,0 a 70,0 | 1.800 a 7.700
    """
    percent, absolute = analytes(rows)
    assert (percent.key, percent.value, percent.unit, percent.flag) == (
        "segmented_neutrophils_percent",
        71,
        "%",
        "high",
    )
    assert (absolute.key, absolute.value, absolute.unit, bounds(absolute)) == (
        "segmented_neutrophils",
        8861,
        "/mm³",
        (1800, 7700),
    )


@pytest.mark.parametrize(
    "row",
    [
        "Linfócitos 18,0 % 2.246 /mm³ 1.000 a 4.800 /mm³",
        "Linfócitos | 18 | 2.246 | 1.000 a 4.800",
        "Linfócitos | 2.246 /mm³ | 18 % | 1.000 a 4.800 /mm³",
    ],
)
def test_a_leucogram_with_one_range_gives_it_to_the_matching_column(row: str) -> None:
    found = {analyte.key: analyte for analyte in analytes(row)}
    assert found["lymphocytes_percent"].value == 18
    assert found["lymphocytes_percent"].reference is None
    assert found["lymphocytes"].value == 2246
    assert bounds(found["lymphocytes"]) == (1000, 4800)


def test_the_total_of_a_leucogram_is_only_the_count() -> None:
    analyte = only("Leucograma | % | /mm³\nLeucócitos | 100 | 12.480 | 4.500 a 11.000")
    assert (analyte.key, analyte.value, analyte.unit, analyte.flag) == ("leukocytes", 12480, "/mm³", "high")


def test_a_result_below_the_limit_of_the_method_stays_text() -> None:
    analyte = only("ANTI-TPO.....: < 10,0 UI/mL\nVR: inferior a 34,0 UI/mL")
    assert (analyte.value, analyte.value_text, analyte.unit, analyte.flag) == (None, "< 10,0", "UI/mL", "normal")


def test_a_comparison_in_words_is_a_result_only_where_the_page_says_so() -> None:
    analyte = only("ANTI-TPO\nResultado: Inferior a 10,0 UI/mL\nVR: inferior a 34,0 UI/mL")
    assert (analyte.value, analyte.value_text, analyte.flag) == (None, "Inferior a 10,0", "normal")
    assert analytes("ANTI-TPO\ninferior a 34,0 UI/mL") == []


def test_a_comparison_that_the_range_cuts_is_not_judged() -> None:
    assert only("TSH: < 1,0 µUI/mL VR: 0,4 a 4,3").flag == "unknown"
    assert only("TSH: < 0,1 µUI/mL VR: 0,4 a 4,3").flag == "low"
    assert only("TSH: > 100 µUI/mL VR: 0,4 a 4,3").flag == "high"


def test_bounds_that_are_not_part_of_the_range_are_outside() -> None:
    assert only("Glicose: 100 mg/dL VR: inferior a 100").flag == "high"
    assert only("Glicose: 100 mg/dL VR: até 100").flag == "normal"
    assert only("HDL: 40 mg/dL VR: superior a 40").flag == "low"
    assert only("HDL: 40 mg/dL VR: a partir de 40").flag == "normal"


def test_units_that_differ_are_not_compared() -> None:
    assert only("Hemoglobina: 13,2 g/dL VR: 120 a 160 g/L").flag == "unknown"


def test_an_unknown_name_needs_number_unit_and_range() -> None:
    assert only("CA 72-4 | 3,1 U/mL | até 6,9").key is None
    assert analytes("Índice qualquer | 3,1 | até 6,9") == []
    assert analytes("Índice qualquer | 3,1 U/mL") == []


def test_similar_names_are_not_taken_for_known_ones() -> None:
    found = analytes("Glicose pós-prandial: 130 mg/dL VR: até 140\nGlicose média estimada: 100 mg/dL VR: até 117")
    assert [analyte.key for analyte in found] == [None, "estimated_average_glucose"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Transaminase pirúvica (TGP)", "alt"),
        ("TGO - Transaminase oxalacética", "ast"),
        ("Dosagem de ferritina", "ferritin"),
        ("Ferro sérico", "iron"),
        ("VITAMINAB12", "vitamin_b12"),
        ("Vitamina D (25-OH)", "vitamin_d"),
        ("T4 LIVRE", "free_t4"),
        ("T.S.H.", "tsh"),
        ("Colesterol não-HDL", "non_hdl_cholesterol"),
        ("Potássio", "potassium"),
        ("Hemoglobina glicada (HbA1c)", "hba1c"),
    ],
)
def test_names_are_known_under_many_spellings(name: str, key: str) -> None:
    assert only(f"{name}: 5,0 mg/dL VR: 1,0 a 9,0").key == key


@pytest.mark.parametrize(
    "rows",
    [
        "Glicose\n92 mg/dL\n70 a 99 mg/dL",
        "GLICOSE\nRESULTADO\n92 mg/dL\nVALORES DE REFERÊNCIA\n70 a 99 mg/dL",
        "GLICOSE\nMaterial: plasma   Valores de referência: 70 a 99 mg/dL\nResultado: 92 mg/dL",
        "GLICOSE\nResultado | 92 | mg/dL | 70 a 99",
        "Glicose: 92 mg/dL\nAdultos: 70 a 99 mg/dL\n* Novos valores de referência a partir de 01/10/2019",
    ],
)
def test_name_result_and_range_may_stand_on_lines_of_their_own(rows: str) -> None:
    analyte = only(rows)
    assert (analyte.key, analyte.value, analyte.unit, analyte.flag) == ("glucose", 92, "mg/dL", "normal")
    assert bounds(analyte) == (70, 99)


def test_two_results_side_by_side_are_two() -> None:
    sodium, potassium = analytes("Sódio: 139 mEq/L | 136 a 145 | Potássio: 5,9 mEq/L | 3,5 a 5,1")
    assert (sodium.key, sodium.value, sodium.flag) == ("sodium", 139, "normal")
    assert (potassium.key, potassium.value, potassium.flag) == ("potassium", 5.9, "high")


def test_a_footnote_after_the_range_does_not_change_it() -> None:
    rows = """
        Creatinina: 1,6 mg/dL
        VR: 0,7 a 1,3 mg/dL
        Atenção aos prazos de entrega
        Resultados disponíveis por 1 a 2 anos, ou de 8 a 18 no balcão
    """
    assert only(rows).flag == "high"


def test_no_two_analytes_share_a_name() -> None:
    names = [(squeeze(name), key) for key, printed in NAMES.items() for name in printed.split("|")]
    assert len(NAMES) >= 60
    assert len({name for name, _ in names}) == len(set(names))


def test_a_repeated_result_counts_once() -> None:
    assert only("Glicose: 92 mg/dL VR: 70 a 99\nGlicose: 92 mg/dL").reference is not None


def test_earlier_results_are_left_out() -> None:
    assert only("Glicose: 92 mg/dL VR: 70 a 99\nResultado anterior: 130 mg/dL").value == 92


@pytest.mark.parametrize("row", ["Hemoglobina: 109 g/dL VR: 12,0 a 15,5", "TSH: 1.234 µUI/mL VR: 0,40 a 4,30"])
def test_a_lost_decimal_comma_is_doubted(row: str) -> None:
    result = report(page(row))
    assert result.analytes[0].confidence <= 0.5
    assert result.analytes[0].name in result.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bolo de cenoura\n3 cenouras médias\n2 xícaras de farinha\nAssar por 40 minutos a 180 graus",
        "INFORMAÇÃO NUTRICIONAL\nPorção 30 g\nValor energético 120 kcal 6%\nSódio 120 mg 5%\nFerro 2 mg 14%",
        "Supermercado\nArroz 5kg 24,90\nFeijão 1kg 8,50\nTotal 33,40",
        "Reunião às 10:30 de 12/03/2025\nRua das Acácias, 120",
    ],
)
def test_other_papers_are_not_lab_reports(text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        report(page(text))
    assert caught.value.code == "not_a_lab_report"


def test_a_report_carries_the_disclaimer_and_no_personal_data() -> None:
    result = report(
        page(
            """
            Laboratório Aurora
            Paciente: Ana Lima | CPF: 123.456.789-09
            Médico: Dr. Rui | Coleta: 31/01/2025
            Convênio: | Unimed | Registro 9 Paciente: Ana
            Glicose: 92 mg/dL VR: 70 a 99
            """
        )
    )
    assert result.disclaimer == DISCLAIMER
    assert (result.exam_kind, str(result.collected_at), result.laboratory) == (
        "glicemia",
        "2025-01-31",
        "Laboratório Aurora",
    )
    printed = result.model_dump_json()
    assert not any(private in printed for private in ("Ana", "Lima", "123.456", "Rui", "Unimed"))
    assert "Glicose: 92 mg/dL" in result.raw_text


def test_an_impossible_date_is_left_out() -> None:
    assert report(page("Coleta: 31/02/2025\nGlicose: 92 mg/dL VR: 70 a 99")).collected_at is None


@pytest.mark.parametrize("name", ["V.H.S. 1a hora", "VHS 1ª HORA", "VHS na primeira hora", "VHS 1 hora"])
def test_the_hour_of_a_test_is_not_its_result(name: str) -> None:
    analyte = only(f"{name}........: 12 mm   VR: até 15 mm")
    assert (analyte.key, analyte.value, analyte.unit) == ("esr", 12, "mm/h")


@pytest.mark.parametrize(
    ("printed", "unit"),
    [("46 UL", "U/L"), ("46 mgdL", "mg/dL"), ("46 ngmL", "ng/mL"), ("46 mEqL", "mEq/L"), ("46 ul", None)],
)
def test_a_slash_that_ocr_lost_is_put_back_where_it_is_clear(printed: str, unit: str | None) -> None:
    assert only(f"TGP | {printed} | até 50").unit == unit


def test_a_unit_that_does_not_exist_is_read_from_the_reference() -> None:
    assert only("Potássio | 4,7 mol/L | 3,5 a 5,1 mmol/L").unit == "mmol/L"
    assert only("FSH | 6,4 mU/mL | 1,7 a 7,7 mUI/mL").unit == "mUI/mL"
    assert only("Potássio | 4,7 | 3,5 a 5,1 mmol/L").unit == "mmol/L"
    assert only("Glicose | 92 mg/dL | 3,9 a 5,5 mmol/L").unit == "mg/dL"


def test_a_sentence_about_references_is_none_itself() -> None:
    rows = """
        VITAMINA D | Valores de referência:
        Resultado: 22,4 ng/mL | Superior a 20,0 ng/mL
        Para idosos e gestantes, a Sociedade Brasileira de Endocrinologia recomenda de 30 a 60 ng/mL.
    """
    assert bounds(only(rows)) == (20, None)


def test_results_of_the_year_before_are_not_todays() -> None:
    rows = """
        EXAME | RESULTADO | UNIDADE | REFERÊNCIA | ANTERIOR (11/03/2024)
        Glicose | 104 | mg/dL | 70 a 99 | 98
        Sódio | 139 | mEq/L | 136 a 145 | 141
    """
    assert [analyte.value for analyte in analytes(rows)] == [104, 139]


def test_a_percentage_of_the_year_before_is_no_count() -> None:
    analyte = only("Linfócitos | 29 | % | 20 a 50 | 31")
    assert (analyte.key, analyte.value, analyte.unit) == ("lymphocytes_percent", 29, "%")
