"""A photo of a lab report becomes numbers, ranges and flags."""

from __future__ import annotations

from functools import partial

import anyio.to_thread

from analysis_worker import Handler, JobContext
from maxnutrition.contracts.medical_exam import MedicalExamInput, MedicalExamResult
from maxnutrition.exams.lines import group_lines
from maxnutrition.exams.ocr import Ocr
from maxnutrition.exams.report import read_report
from maxnutrition.media.images import sanitise
from maxnutrition.media.storage import Storage


async def read_exam(request: MedicalExamInput, context: JobContext, *, storage: Storage, ocr: Ocr) -> MedicalExamResult:
    await context.report_progress(0.05, "baixando")
    data = await storage.download(request.files[0])
    await context.report_progress(0.2, "lendo")
    image = await anyio.to_thread.run_sync(sanitise, data)
    boxes = await ocr.read(image)
    await context.report_progress(0.9, "interpretando")
    result = await anyio.to_thread.run_sync(lambda: read_report(group_lines(boxes)))
    context.log.bind(boxes=len(boxes), analytes=len(result.analytes)).info("exam read")
    return result


def medical_exam(storage: Storage, ocr: Ocr) -> Handler[MedicalExamInput, MedicalExamResult]:
    return Handler(
        type="medical_exam",
        input=MedicalExamInput,
        result=MedicalExamResult,
        run=partial(read_exam, storage=storage, ocr=ocr),
    )
