"""A medical exam of several files: in order, each page read once, whatever happens between."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from analysis_worker import DeferredError, PermanentError, RetryableError
from maxnutrition.contracts.medical_exam import (
    EXAMPLE_INPUT,
    EXAMPLE_RESULT,
    Analyte,
    MedicalExamInput,
    MedicalExamResult,
)
from maxnutrition.exams.page_reading import read_page
from maxnutrition.exams.progress import MAX_CHECKPOINT, PagesRead
from maxnutrition.exams.readers import ExamDraft
from maxnutrition.handlers.medical_exam import medical_exam
from tests.unit.maxnutrition.fakes import Heard, Model, Pages, StoredFiles, context_for, exam_job
from tests.unit.maxnutrition.pages import only, page
from tests.unit.media.pdfs import A4, pdf

pytestmark = pytest.mark.anyio

BLOOD = "Hemoglobina | 12,9 g/dL | 12,0 a 15,5\nPlaquetas | 210.000 /mm³ | 150.000 a 450.000"
LIPIDS = "Colesterol total | 182 mg/dL | inferior a 190\nTriglicérides | 120 mg/dL | inferior a 150"
COVER = "Resultado de exames | página de rosto"


def photo(shade: int) -> bytes:
    target = BytesIO()
    Image.new("RGB", (40, 30), (shade, shade, shade)).save(target, format="PNG")
    return target.getvalue()


async def run(
    ocr: Pages, files: list[bytes], checkpoint: Any = None, reader: Model | None = None
) -> tuple[MedicalExamResult, Heard]:
    context, heard = context_for(exam_job(uuid4(), checkpoint))
    stored = StoredFiles({f"u/{number}": data for number, data in enumerate(files)})
    request = MedicalExamInput.model_validate({"files": [{"path": path} for path in stored.files]})
    try:
        return await medical_exam(stored, ocr, reader).run(request, context), heard
    except (RetryableError, DeferredError) as error:
        raise Interrupted(heard) from error


class Interrupted(Exception):  # noqa: N818 - what the engine would see, with what was heard before
    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self.heard = heard


def keys(result: MedicalExamResult) -> list[str | None]:
    return [analyte.key for analyte in result.analytes]


async def test_pages_are_read_in_order_and_counted_for_the_user() -> None:
    result, heard = await run(Pages(BLOOD, LIPIDS), [photo(10), photo(20)])
    assert keys(result) == ["hemoglobin", "platelets", "total_cholesterol", "triglycerides"]
    assert heard.phases == [
        "baixando",
        "baixando",
        "lendo página 1 de 2",
        "lendo página 2 de 2",
        "conferindo",
        "interpretando",
    ]
    assert [share for share, _ in heard.progress] == sorted(share for share, _ in heard.progress)
    assert result.exam_kind == "misto"
    assert "Hemoglobina" in result.raw_text
    assert "Triglicérides" in result.raw_text


async def test_photos_and_documents_may_be_mixed() -> None:
    pytest.importorskip("pypdfium2", reason="needs the extra analysis-worker[maxnutrition]")
    ocr = Pages(COVER, BLOOD, LIPIDS)
    result, heard = await run(ocr, [pdf([A4, "0 0 842 595"]), photo(10)])
    assert [Image.open(BytesIO(image)).size for image in ocr.images] == [(1131, 1600), (1600, 1131), (40, 30)]
    assert "lendo página 3 de 3" in heard.phases
    assert len(result.analytes) == 4


async def test_pages_without_results_do_not_spoil_the_others() -> None:
    result, _ = await run(Pages(COVER, BLOOD, COVER), [photo(10), photo(20), photo(30)])
    assert keys(result) == ["hemoglobin", "platelets"]


async def test_pages_without_any_result_are_no_report() -> None:
    with pytest.raises(PermanentError) as caught:
        await run(Pages(COVER, COVER), [photo(10), photo(20)])
    assert caught.value.code == "not_a_lab_report"


async def test_an_attempt_after_a_crash_reads_only_the_pages_that_are_left() -> None:
    files = [photo(10), photo(20), photo(30)]
    broken = Pages(BLOOD, LIPIDS, RetryableError("ocr_stopped", "Parou."))
    with pytest.raises(Interrupted) as caught:
        await run(broken, files)
    checkpoints = caught.value.heard.checkpoints
    assert len(checkpoints) == 2
    again = Pages(COVER)
    result, heard = await run(again, files, checkpoints[-1])
    assert len(again.images) == 1
    assert len(result.analytes) == 4
    assert "lendo página 3 de 3" in heard.phases
    assert "lendo página 1 de 3" not in heard.phases


async def test_a_checkpoint_of_other_files_is_of_no_use() -> None:
    _, heard = await run(Pages(BLOOD), [photo(10)])
    ocr = Pages(LIPIDS)
    result, _ = await run(ocr, [photo(200)], heard.checkpoints[-1])
    assert len(ocr.images) == 1
    assert keys(result) == ["total_cholesterol", "triglycerides"]


@pytest.mark.parametrize("checkpoint", [{}, [], "x", 7, {"version": 2, "pages": {}}, {"version": 1, "pages": {"a": 1}}])
async def test_a_checkpoint_that_nobody_understands_is_ignored(checkpoint: Any) -> None:
    result, _ = await run(Pages(BLOOD), [photo(10)], checkpoint)
    assert keys(result) == ["hemoglobin", "platelets"]


async def test_a_page_sent_twice_is_read_once() -> None:
    ocr = Pages(BLOOD)
    result, _ = await run(ocr, [photo(10), photo(10)])
    assert len(ocr.images) == 1
    assert len(result.analytes) == 2
    assert result.warnings == []


def test_no_checkpoint_is_larger_than_the_database_takes() -> None:
    reading = read_page(page("\n".join([BLOOD.replace("|", "   ")] * 300)))
    few = PagesRead({str(number): reading for number in range(20)})
    assert few.saved() is not None
    assert PagesRead({str(number): reading for number in range(MAX_CHECKPOINT // 8000 + 1)}).saved() is None


async def test_a_checkpoint_says_nothing_about_people() -> None:
    _, heard = await run(Pages(f"Paciente: Fulana de Tal\nCPF: 000.000.000-00\n{BLOOD}"), [photo(10)])
    assert "Fulana" not in str(heard.checkpoints)
    assert "000.000" not in str(heard.checkpoints)


async def test_a_bad_file_among_several_is_named() -> None:
    with pytest.raises(PermanentError) as caught:
        await run(Pages(), [photo(10), b"PK\x03\x04"])
    assert caught.value.code == "unsupported_file"
    assert caught.value.message.startswith("Arquivo 2 de 2: ")


async def test_more_than_twenty_pages_in_all_are_refused() -> None:
    pytest.importorskip("pypdfium2", reason="needs the extra analysis-worker[maxnutrition]")
    ocr = Pages()
    with pytest.raises(PermanentError) as caught:
        await run(ocr, [pdf([A4] * 12), pdf([A4] * 12)])
    assert caught.value.code == "too_many_pages"
    assert ocr.images == []


async def test_a_model_that_agrees_makes_the_result_more_certain() -> None:
    alone, _ = await run(Pages(BLOOD), [photo(10)])
    model = Model(ExamDraft((only("Hemoglobina | 12,9 g/dL | 12,0 a 15,5"),)))
    checked, _ = await run(Pages(BLOOD), [photo(10)], reader=model)
    assert checked.analytes[0].confidence > alone.analytes[0].confidence
    assert checked.analytes[1].confidence == alone.analytes[1].confidence
    assert len(model.pages) == 1


async def test_a_model_that_disagrees_leaves_a_warning() -> None:
    model = Model(ExamDraft((only("Hemoglobina | 19,2 g/dL | 12,0 a 15,5"),)))
    result, _ = await run(Pages(BLOOD), [photo(10)], reader=model)
    assert result.analytes[0].value == 12.9
    assert result.warnings[0] == (
        "Duas leituras não concordam, confira no laudo: Hemoglobina (12,9 g/dL ou 19,2 g/dL)."
    )


@pytest.mark.parametrize(
    "trouble",
    [DeferredError("cooling_down", "", 30), RetryableError("timeout", ""), PermanentError("blocked", "")],
)
async def test_a_model_in_trouble_does_not_hold_up_what_ocr_read(trouble: Exception) -> None:
    result, _ = await run(Pages(BLOOD), [photo(10)], reader=Model(trouble))
    assert keys(result) == ["hemoglobin", "platelets"]
    assert result.warnings == ["A conferência por um segundo leitor não estava disponível."]


async def test_a_model_in_trouble_is_the_jobs_trouble_where_ocr_read_nothing() -> None:
    with pytest.raises(Interrupted):
        await run(Pages(COVER), [photo(10)], reader=Model(DeferredError("cooling_down", "", 30)))


async def test_what_only_a_model_read_is_a_result_in_doubt() -> None:
    seen = tuple(only(row) for row in BLOOD.splitlines())
    result, _ = await run(Pages(COVER), [photo(10)], reader=Model(ExamDraft(seen, laboratory="Laboratório X")))
    assert keys(result) == ["hemoglobin", "platelets"]
    assert max(analyte.confidence for analyte in result.analytes) <= 0.5
    assert "não confirmado" in result.warnings[0]
    assert result.laboratory == "Laboratório X"


async def test_a_model_that_saw_nothing_changes_nothing() -> None:
    alone, _ = await run(Pages(BLOOD), [photo(10)])
    checked, _ = await run(Pages(BLOOD), [photo(10)], reader=Model(None))
    assert checked == alone


def test_the_examples_are_valid() -> None:
    assert len(MedicalExamInput.model_validate(EXAMPLE_INPUT).files) == 2
    result = MedicalExamResult.model_validate(EXAMPLE_RESULT)
    assert isinstance(result.analytes[0], Analyte)
