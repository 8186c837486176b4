import pytest

from maxnutrition.exams.critical import critical_warnings, is_critical
from maxnutrition.exams.crosscheck import TRUSTED, cross_check
from maxnutrition.exams.merge import merge
from maxnutrition.exams.page_reading import read_page
from maxnutrition.exams.report import write_report
from maxnutrition.exams.wording import say_result
from tests.unit.maxnutrition.pages import analytes, only, page, report

HEMOGLOBIN = "Hemoglobina | 12,9 g/dL | 12,0 a 15,5"


def test_what_is_printed_on_two_pages_is_one_result() -> None:
    merged = merge([analytes(HEMOGLOBIN), analytes("Hb | 12,9 g/dL | 12,0 a 15,5")])
    assert [analyte.name for analyte in merged.analytes] == ["Hemoglobina"]
    assert merged.conflicts == []


def test_of_two_equal_results_the_one_with_a_reference_is_kept() -> None:
    merged = merge([analytes("Hemoglobina | 12,9 g/dL"), analytes(HEMOGLOBIN)])
    assert [analyte.reference is not None for analyte in merged.analytes] == [True]


def test_results_that_differ_are_both_kept_and_told() -> None:
    pages = [read_page(page(text)) for text in (HEMOGLOBIN, "Hemoglobina | 11,2 g/dL | 12,0 a 15,5")]
    result = write_report(pages)
    assert [analyte.value for analyte in result.analytes] == [12.9, 11.2]
    assert result.warnings == [
        "Há resultados diferentes para o mesmo exame, confira no laudo: Hemoglobina (12,9 g/dL ou 11,2 g/dL)."
    ]


def test_the_same_number_in_another_unit_is_another_result() -> None:
    merged = merge([analytes("Glicose | 92 mg/dL | 70 a 99"), analytes("Glicose | 92 mmol/L | 70 a 99")])
    assert len(merged.conflicts) == 1


def test_percent_and_count_of_a_cell_are_two_things() -> None:
    rows = "Leucograma | % | /mm³\nLinfócitos | 18 | 2.246 | 1.000 a 4.800"
    merged = merge([analytes(rows), analytes(rows)])
    assert [analyte.key for analyte in merged.analytes] == ["lymphocytes_percent", "lymphocytes"]
    assert merged.conflicts == []


def test_results_without_a_key_are_known_by_their_name() -> None:
    row = "CA 72-4 | 3,1 U/mL | até 6,9"
    assert len(merge([analytes(row), analytes(row)]).analytes) == 1


def test_pages_of_different_days_are_told() -> None:
    pages = [
        read_page(page(f"Coleta: {day}/03/2025\n{row}"))
        for day, row in (("10", HEMOGLOBIN), ("11", "Glicose | 92 mg/dL | 70 a 99"))
    ]
    result = write_report(pages)
    assert str(result.collected_at) == "2025-03-10"
    assert result.warnings == ["As páginas têm datas de coleta diferentes."]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Potássio | 6,2 mEq/L | 3,5 a 5,1", True),
        ("Potássio | 6,1 mEq/L | 3,5 a 5,1", False),
        ("Potássio | 2,8 mmol/L | 3,5 a 5,1", True),
        ("Sódio | 119 mEq/L | 135 a 145", True),
        ("Sódio | 121 mEq/L | 135 a 145", False),
        ("Glicose | 484 mg/dL | 70 a 99", True),
        ("Glicose | 27 mmol/L | 3,9 a 5,5", True),
        ("Glicose | 46 mg/dL | 70 a 99", True),
        ("Glicose | 130 mg/dL | 70 a 99", False),
        ("Hemoglobina | 6,6 g/dL | 12,0 a 15,5", True),
        ("Hemoglobina | 66 g/L | 120 a 155", True),
        ("Hemoglobina | 10,4 g/dL | 12,0 a 15,5", False),
        ("Plaquetas | 37.000 /mm³ | 150.000 a 450.000", True),
        ("Plaquetas | 20 mil/mm³ | 150 a 450", True),
        ("Plaquetas | 250 mil/mm³ | 150 a 450", False),
        ("Plaquetas | 250 | 150 a 450", False),
        ("Plaquetas | < 10.000 /mm³ | 150.000 a 450.000", True),
        ("Plaquetas | < 140.000 /mm³ | 150.000 a 450.000", False),
        ("Leucócitos | 1.900 /mm³ | 4.500 a 11.000", True),
        ("Cálcio | 13,0 mg/dL | 8,6 a 10,2", True),
        ("Cálcio | 3,4 mmol/L | 2,1 a 2,6", True),
        ("Colesterol total | 900 mg/dL | inferior a 190", False),
    ],
)
def test_critical_is_what_laboratories_call_the_doctor_for(row: str, expected: bool) -> None:
    assert is_critical(only(row)) is expected


def test_a_critical_result_tells_to_seek_care_before_anything_else_and_names_no_illness() -> None:
    result = report(page("Potássio | 7,1 mEq/L | 3,5 a 5,1\nHemoglobina | 12,9 g/dL"))
    assert result.warnings[0] == (
        "Potássio: 7,1 mEq/L é um resultado crítico. Confira no laudo e, se estiver certo, "
        "procure atendimento médico agora."
    )
    assert critical_warnings([only(HEMOGLOBIN)]) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Plaquetas | 231.000 /mm³ | 150.000 a 450.000", "231.000 /mm³"),
        ("Creatinina | 0,83 mg/dL | 0,5 a 1,1", "0,83 mg/dL"),
        ("Anti-TPO | < 9,0 UI/mL | inferior a 34", "< 9,0 UI/mL"),
        ("TSH | 2 µUI/mL | 0,4 a 4", "2 µUI/mL"),
    ],
)
def test_results_are_said_as_brazilians_write_them(row: str, said: str) -> None:
    assert say_result(only(row)) == said


def test_two_readers_that_agree_are_more_certain_than_one() -> None:
    printed = only(HEMOGLOBIN).model_copy(update={"confidence": 0.8})
    seen = only(HEMOGLOBIN).model_copy(update={"confidence": 0.7})
    checked = cross_check([printed], [seen])
    assert checked.analytes[0].confidence == pytest.approx(0.94)
    assert (checked.disputed, checked.unconfirmed) == ([], [])


def test_a_unit_that_ocr_missed_comes_from_the_reader_that_agrees() -> None:
    printed = only("Hemoglobina | 12,9 | 12,0 a 15,5")
    assert cross_check([printed], [only(HEMOGLOBIN)]).analytes[0].unit == "g/dL"


def test_clear_print_wins_over_a_model_and_loses_certainty() -> None:
    printed = only(HEMOGLOBIN).model_copy(update={"confidence": TRUSTED})
    seen = only("Hemoglobina | 19,2 g/dL | 12,0 a 15,5")
    checked = cross_check([printed], [seen])
    [kept] = checked.analytes
    assert (kept.value, kept.flag) == (12.9, "normal")
    assert kept.confidence < TRUSTED
    assert [(one.value, other.value) for one, other in checked.disputed] == [(12.9, 19.2)]


def test_a_model_wins_over_print_that_could_hardly_be_read_and_is_judged_by_the_printed_range() -> None:
    printed = only("Hemoglobina | 129 g/dL | 12,0 a 15,5")
    assert printed.confidence < TRUSTED
    [kept] = cross_check([printed], [only("Hemoglobina | 12,9 g/dL | 99 a 100")]).analytes
    assert (kept.value, kept.flag) == (12.9, "normal")
    assert kept.confidence <= 0.5


def test_what_only_a_model_saw_is_added_with_doubt_and_without_its_opinion() -> None:
    seen = only("Ferritina | 18 ng/mL | 30 a 400").model_copy(update={"flag": "normal", "key": None, "confidence": 1.0})
    checked = cross_check([], [seen])
    [added] = checked.unconfirmed
    assert (added.key, added.flag, added.confidence) == ("ferritin", "low", 0.5)


def test_what_a_model_did_not_see_stays_as_it_is() -> None:
    printed = only(HEMOGLOBIN)
    assert cross_check([printed], [only("Glicose | 92 mg/dL | 70 a 99")]).analytes[0] == printed
