"""A second reader beside OCR, such as a vision model: what it has to offer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from analysis_worker import JobContext
from maxnutrition.contracts.medical_exam import Analyte


@dataclass(frozen=True, slots=True)
class ExamDraft:
    """What a reader saw on all pages. Keys may be missing and flags are not believed: both are worked out anew."""

    analytes: tuple[Analyte, ...]
    collected_at: date | None = None
    laboratory: str | None = None


class Reader(Protocol):
    async def read(self, pages: list[bytes], context: JobContext) -> ExamDraft | None:
        """JPEGs in order. None where nothing could be read; may raise what a handler raises (a provider's trouble)."""
        ...
