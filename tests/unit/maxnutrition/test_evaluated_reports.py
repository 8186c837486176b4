"""The evaluation itself: its reports are drawn the same each time, and its score can tell right from wrong."""

from hashlib import sha256

import pytest

from maxnutrition.evaluate.reports import _differences, _read, _said
from maxnutrition.evaluate.reports.cases import Case, cases
from maxnutrition.evaluate.reports.paper import Sheet, pdf_of
from maxnutrition.evaluate.reports.rows import Truth, tables
from maxnutrition.exams.names import PANEL_OF
from maxnutrition.exams.units import is_canonical
from maxnutrition.media.pages import to_pages
from tests.unit.maxnutrition.pages import only

pytest.importorskip("pypdfium2", reason="needs the extra analysis-worker[maxnutrition]")


def named(name: str) -> Case:
    [case] = [case for case in cases() if case.name == name]
    return case


def test_there_are_twelve_reports_in_at_least_five_layouts() -> None:
    assert len(cases()) == 12
    assert len({case.name.split(",")[0] for case in cases()}) >= 5
    assert {title: len(rows) for title, rows in tables().items() if len(rows) < 7} == {}


def test_the_truths_speak_of_what_we_know() -> None:
    truths = [truth for case in cases() for truth in case.truths]
    assert {truth.key.removesuffix("_percent") for truth in truths} <= PANEL_OF.keys()
    assert all(is_canonical(truth.unit) for truth in truths)
    assert len(truths) > 100


def test_a_report_is_drawn_the_same_each_time() -> None:
    first, second = (named("reference first, in the dark").picture() for _ in range(2))
    assert sha256(first.tobytes()).digest() == sha256(second.tobytes()).digest()


def test_what_is_read_otherwise_missing_or_too_much_is_a_failure() -> None:
    truth = Truth("glucose", 92.0, "mg/dL", 70.0, 99.0)
    assert _differences({"glucose": truth}, {"glucose": truth}) == []
    for wrong in (
        Truth("glucose", 29.0, "mg/dL", 70.0, 99.0),
        Truth("glucose", 92.0, "", 70.0, 99.0),
        Truth("glucose", 92.0, "mg/dL", None, 99.0),
    ):
        assert len(_differences({"glucose": truth}, {"glucose": wrong})) == 1
    assert len(_differences({"glucose": truth}, {})) == 1
    assert len(_differences({}, {"glucose": truth})) == 1
    assert _said(only("Glicose | 92 mg/dL | 70 a 99")) == truth


def test_one_of_the_reports_is_read_without_a_fault() -> None:
    pytest.importorskip("rapidocr", reason="needs the extra analysis-worker[ocr]")
    case = named("two columns, as sent")
    assert {_said(analyte) for analyte in _read(case)} == set(case.truths)


@pytest.mark.anyio
async def test_sheets_make_a_document_of_several_pages() -> None:
    sheets = [Sheet(), Sheet()]
    sheets[0].text(40, 40, "Página (1)")
    assert len(await to_pages(pdf_of(sheets))) == 2
