"""Composition: opens what the handlers need, registers every handler, closes it all again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from analysis_worker import Settings
from analysis_worker.handlers import AnyHandler
from maxnutrition.exams.ocr import open_ocr
from maxnutrition.handlers.medical_exam import medical_exam
from maxnutrition.media.storage import open_storage


@asynccontextmanager
async def app(settings: Settings) -> AsyncIterator[Sequence[AnyHandler]]:
    async with open_storage(settings.supabase_url, settings.current_key) as storage, open_ocr() as ocr:
        yield [medical_exam(storage, ocr)]
