"""Photos and PDFs of a lab report become numbers, ranges and flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anyio.to_thread

from analysis_worker import DeferredError, Handler, JobContext, PermanentError, RetryableError
from maxnutrition.contracts.common import StoredFile
from maxnutrition.contracts.medical_exam import MedicalExamInput, MedicalExamResult
from maxnutrition.exams.lines import group_lines
from maxnutrition.exams.ocr import Ocr
from maxnutrition.exams.page_reading import PageReading, read_page
from maxnutrition.exams.progress import PagesRead, page_id
from maxnutrition.exams.readers import ExamDraft, Reader
from maxnutrition.exams.report import is_report, write_report
from maxnutrition.media.pages import MAX_FILE_BYTES, to_pages
from maxnutrition.media.pdf import MAX_PAGES
from maxnutrition.media.storage import Storage

_DOWNLOADED, _READ, _CHECKED = 0.1, 0.85, 0.95
"""Shares of the work that are done after each step."""
_UNCHECKED = "A conferência por um segundo leitor não estava disponível."


@dataclass(frozen=True, slots=True)
class ExamReading:
    """The steps of one job. `reader` is a model that reads the same pages, where one is configured."""

    storage: Storage
    ocr: Ocr
    reader: Reader | None

    async def run(self, request: MedicalExamInput, context: JobContext) -> MedicalExamResult:
        pages = await self._fetch(request.files, context)
        readings = await self._read(pages, context)
        await context.report_progress(_READ, "conferindo")
        draft, notes = await self._read_again(pages, readings, context)
        await context.report_progress(_CHECKED, "interpretando")
        result = await anyio.to_thread.run_sync(write_report, readings, draft)
        context.log.bind(pages=len(pages), analytes=len(result.analytes)).info("exam read")
        return result.model_copy(update={"warnings": [*result.warnings, *notes]})

    async def _fetch(self, files: Sequence[StoredFile], context: JobContext) -> list[bytes]:
        """Raises `PermanentError` with the number of the file that is to blame, where there are several."""
        pages: list[bytes] = []
        for number, file in enumerate(files, start=1):
            await context.report_progress(_DOWNLOADED * (number - 1) / len(files), "baixando")
            try:
                pages += await to_pages(await self.storage.download(file, MAX_FILE_BYTES))
            except PermanentError as error:
                which = f"Arquivo {number} de {len(files)}: " if len(files) > 1 else ""
                raise PermanentError(error.code, which + error.message) from error
            if len(pages) > MAX_PAGES:
                raise PermanentError(
                    "too_many_pages", f"São mais de {MAX_PAGES} páginas ao todo. Envie só as páginas com os resultados."
                )
        return pages

    async def _read(self, pages: Sequence[bytes], context: JobContext) -> list[PageReading]:
        """One page after the other; what an attempt before this one has read is not read again."""
        done = PagesRead.restored(context.job.checkpoint)
        ids = [page_id(page) for page in pages]
        for number, (name, page) in enumerate(zip(ids, pages, strict=True)):
            if name in done.pages:
                continue
            share = _DOWNLOADED + (_READ - _DOWNLOADED) * number / len(pages)
            await context.report_progress(share, f"lendo página {number + 1} de {len(pages)}")
            lines = group_lines(await self.ocr.read(page))
            done.pages[name] = await anyio.to_thread.run_sync(read_page, lines)
            if saved := done.saved():
                await context.save_checkpoint(saved)
        return [done.pages[name] for name in dict.fromkeys(ids)]

    async def _read_again(
        self, pages: list[bytes], readings: Sequence[PageReading], context: JobContext
    ) -> tuple[ExamDraft | None, list[str]]:
        """What the second reader saw. Its trouble is the job's only where OCR found no report either."""
        if self.reader is None:
            return None, []
        try:
            return await self.reader.read(pages, context), []
        except (DeferredError, PermanentError, RetryableError) as error:
            if not is_report([analyte for reading in readings for analyte in reading.analytes]):
                raise
            context.log.bind(code=error.code).warning("exam read by OCR alone")
            return None, [_UNCHECKED]


def medical_exam(
    storage: Storage, ocr: Ocr, reader: Reader | None = None
) -> Handler[MedicalExamInput, MedicalExamResult]:
    return Handler(
        type="medical_exam",
        input=MedicalExamInput,
        result=MedicalExamResult,
        run=ExamReading(storage, ocr, reader).run,
    )
