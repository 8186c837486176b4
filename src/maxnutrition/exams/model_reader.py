"""A vision model as the second reader of an exam: it copies what is printed, and our parser reads its copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis_worker import JobContext, PermanentError
from maxnutrition.contracts.medical_exam import Analyte
from maxnutrition.exams.analytes import read_analytes
from maxnutrition.exams.lines import Cell, Line
from maxnutrition.exams.readers import ExamDraft
from maxnutrition.prompts.exams import CopiedAnalyte, CopiedReport, exam_request
from maxnutrition.providers.request import Models


@dataclass(frozen=True, slots=True)
class ModelReader:
    models: Models

    async def read(self, pages: list[bytes], context: JobContext) -> ExamDraft | None:
        """None where no vision model is configured; otherwise raises what `Models.generate` raises."""
        try:
            reply = await self.models.generate(exam_request(pages), context)
        except PermanentError as error:
            if error.code == "provider_not_configured":
                return None
            raise
        return draft_of(reply.output)


def draft_of(report: CopiedReport) -> ExamDraft:
    """What a copy says, by the rules that OCR is read by: no number of it is the model's own conversion."""
    analytes = tuple(analyte for copied in report.analytes for analyte in _analytes_of(copied))
    return ExamDraft(analytes, report.collected_at, report.laboratory)


def _analytes_of(copied: CopiedAnalyte) -> Iterator[Analyte]:
    texts = [copied.name, f"{copied.value_text} {copied.unit or ''}".strip()]
    if copied.reference_text:
        texts.append(f"VR: {copied.reference_text}")
    line = Line(tuple(Cell(text, copied.confidence) for text in texts))
    yield from (reading.analyte for reading in read_analytes([line]))
