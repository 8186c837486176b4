from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maxnutrition.exams.numbers import parse_number, scan
from maxnutrition.exams.text import fold, mend
from tests.unit.maxnutrition.pages import analytes

REPORT_TEXT = st.text(alphabet="0123456789.,:;<>=-–/%()|abcdeghlmnostuáçãµ³ \t\n", max_size=400)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13,2", 13.2),
        ("4.500", 4500),
        ("1.234.567,8", 1_234_567.8),
        ("4.02", 4.02),
        ("0.123", 0.123),
        ("448.000", 448_000),
        ("0", 0),
        ("1,800", 1.8),
    ],
)
def test_numbers_are_read_as_brazilians_print_them(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "low", "high", "low_open", "high_open"),
    [
        ("4.500 a 11.000 /mm³", 4500, 11000, False, False),
        ("13,5 - 17,5", 13.5, 17.5, False, False),
        ("13,5–17,5", 13.5, 17.5, False, False),
        ("entre 70 e 99", 70, 99, False, False),
        ("inferior a 200", None, 200, False, True),
        ("inferiora 200", None, 200, False, True),
        ("até 99", None, 99, False, False),
        ("Até 99", None, 99, False, False),
        ("< 150", None, 150, False, True),
        ("<= 150", None, 150, False, False),
        ("≤150", None, 150, False, False),
        ("menor que 5,7", None, 5.7, False, True),
        ("menor ou igual a 5,7", None, 5.7, False, False),
        ("inferior ou igual a 34", None, 34, False, False),
        ("abaixo de 10", None, 10, False, True),
        ("> 40", 40, None, True, False),
        ("superior a 60", 60, None, True, False),
        ("maior que 60", 60, None, True, False),
        ("igual ou superior a 126", 126, None, False, False),
        ("superior ou igual a 6,5", 6.5, None, False, False),
        ("a partir de 20", 20, None, False, False),
        ("máximo de 5", None, 5, False, False),
    ],
)
def test_ranges_keep_their_bounds_and_whether_these_belong(
    text: str, low: float | None, high: float | None, low_open: bool, high_open: bool
) -> None:
    [span] = scan(text)
    assert span.kind == "range"
    assert (span.low, span.high, span.low_open, span.high_open) == (low, high, low_open, high_open)


@pytest.mark.parametrize(
    "text",
    [
        "12/03/2025",
        "07:42",
        "T4 livre",
        "Vitamina B12",
        "25-hidroxivitamina D",
        "17 OH",
        "de 1 a 5 anos",
        "acima de 60 anos",
    ],
)
def test_dates_times_ages_and_names_with_digits_are_no_results(text: str) -> None:
    assert scan(text) == []


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("13,2 g/dL", "g/dL"),
        ("13,2g/dl", "g/dL"),
        ("92 mg/d1", "mg/dL"),
        ("6,82 μUI/mL", "µUI/mL"),
        ("6,82 uUl/mL", "µUI/mL"),
        ("2,1 mUI/L", "mUI/L"),
        ("12.480 /mm3", "/mm³"),
        ("12.480/mm³", "/mm³"),
        ("4,02 milhões/mm³", "milhões/mm³"),
        ("4,02 milhões / mm³", "milhões/mm³"),
        ("84 fl", "fL"),
        ("27 pg", "pg"),
        ("1,1 ng/dL", "ng/dL"),
        ("5,4%", "%"),
        ("5,1 10^3/µL", "10³/µL"),
        ("5,1 x10³/uL", "10³/µL"),
        ("98 mL/min/1,73m²", "mL/min/1,73m²"),
        ("10,9 * g/dL", "g/dL"),
        ("10,9 (L) g/dL", "g/dL"),
        ("3 foo/bar", "foo/bar"),
        ("41 anos", None),
    ],
)
def test_units_come_out_in_one_spelling(text: str, unit: str | None) -> None:
    assert [span.unit for span in scan(text)] == ([unit] if unit else [])


def test_a_unit_that_begins_with_a_number_is_no_second_result() -> None:
    assert [span.low for span in scan("5,1 10^3/µL")] == [5.1]
    assert [span.low for span in scan("98 mL/min/1,73m²")] == [98]


@pytest.mark.parametrize(
    ("read", "mended"),
    [
        ("1O,9", "10,9"),
        ("l0,9", "10,9"),
        ("10, 9", "10,9"),
        ("B12.\t389", "B12.\t389"),
        ("B12", "B12"),
        ("I, 2", "I, 2"),
    ],
)
def test_numbers_that_ocr_broke_are_mended(read: str, mended: str) -> None:
    assert mend(read) == mended


@given(st.text(max_size=300))
def test_folding_keeps_every_position(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(REPORT_TEXT)
@example("1." * 200)
@example("<" * 400)
@example("a partir " * 40)
@example("1" * 400)
@example("O1,|" * 100)
def test_no_text_breaks_the_scanner_or_keeps_it_busy(text: str) -> None:
    started = process_time()
    spans = scan(mend(text))
    assert process_time() - started < 1
    assert all(0 <= span.start < span.end for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)


@given(st.lists(REPORT_TEXT, max_size=12))
def test_no_page_breaks_the_parser(rows: list[str]) -> None:
    for analyte in analytes("\n".join(f"Glicose | {row}" for row in rows)):
        assert 0 <= analyte.confidence <= 1


@given(st.text(max_size=200))
def test_any_unicode_passes_through_the_parser(text: str) -> None:
    analytes(f"{text}\nHemoglobina: {text}")
