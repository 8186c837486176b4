"""The samples through the whole chain, against values typed by hand from what make_reports.py draws."""

import json
from collections.abc import AsyncIterator
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from analysis_worker import PermanentError
from maxnutrition.contracts.medical_exam import Analyte, MedicalExamResult
from maxnutrition.exams.lines import group_lines
from maxnutrition.exams.ocr import Ocr, open_ocr
from maxnutrition.media.images import sanitise
from tests.unit.maxnutrition.pages import report

pytest.importorskip("rapidocr", reason="needs the extra analysis-worker[ocr]")
pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))


def sample(name: str) -> bytes:
    return (resources.files("maxnutrition.samples") / name).read_bytes()


async def read(ocr: Ocr, image: bytes) -> MedicalExamResult:
    return report(group_lines(await ocr.read(sanitise(image))))


@pytest.fixture(scope="module")
async def ocr(anyio_backend: str) -> AsyncIterator[Ocr]:
    async with open_ocr() as ocr:
        yield ocr


def as_expected(analyte: Analyte) -> dict[str, Any]:
    reference = analyte.reference
    row = analyte.model_dump(exclude={"reference", "confidence"})
    return row | {"low": reference and reference.low, "high": reference and reference.high}


def turned(name: str, degrees: int) -> bytes:
    target = BytesIO()
    Image.open(BytesIO(sample(name))).convert("RGB").rotate(degrees, expand=True).save(
        target, format="JPEG", quality=90
    )
    return target.getvalue()


@pytest.mark.parametrize("name", EXPECTED)
async def test_every_value_of_a_sample_is_read_and_nothing_about_people(ocr: Ocr, name: str) -> None:
    expected = EXPECTED[name]
    result = await read(ocr, sample(name))
    assert [as_expected(analyte) for analyte in result.analytes] == expected["analytes"]
    assert (result.exam_kind, str(result.collected_at), result.laboratory) == (
        expected["exam_kind"],
        expected["collected_at"],
        expected["laboratory"],
    )
    assert result.confidence > 0.9
    assert result.warnings == []
    printed = result.model_dump_json()
    assert [private for private in expected["private"] if private in printed] == []


@pytest.mark.parametrize("degrees", [90, 180])
async def test_a_page_photographed_on_its_side_or_head_is_read(ocr: Ocr, degrees: int) -> None:
    result = await read(ocr, turned("tireoide.png", degrees))
    assert [as_expected(analyte) for analyte in result.analytes] == EXPECTED["tireoide.png"]["analytes"]


@pytest.mark.parametrize("degrees", [-6])
async def test_a_page_that_lies_askew_is_read(ocr: Ocr, degrees: int) -> None:
    result = await read(ocr, turned("hemograma.jpg", degrees))
    found = {(analyte.key, analyte.value, analyte.flag) for analyte in result.analytes}
    expected = {(row["key"], row["value"], row["flag"]) for row in EXPECTED["hemograma.jpg"]["analytes"]}
    assert len(found & expected) >= len(expected) - 1


async def test_a_plate_of_food_is_not_a_lab_report(ocr: Ocr) -> None:
    with pytest.raises(PermanentError) as caught:
        await read(ocr, (HERE / "data" / "plate.jpg").read_bytes())
    assert caught.value.code == "not_a_lab_report"


def test_samples_are_small_enough_to_ship() -> None:
    assert all(len(sample(name)) < 400_000 for name in EXPECTED)
