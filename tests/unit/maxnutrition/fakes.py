"""A job context whose progress and checkpoints can be read, and what stands in for storage, OCR and a model."""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from loguru import logger

from analysis_worker import Job, JobContext
from analysis_worker.jobs import Lease
from maxnutrition.contracts.common import StoredFile
from maxnutrition.exams.lines import Box
from maxnutrition.exams.ocr import Ocr
from maxnutrition.exams.readers import ExamDraft
from maxnutrition.media.images import MAX_BYTES
from maxnutrition.media.storage import Storage


def exam_job(job_id: UUID, checkpoint: Any = None) -> Job:
    return Job(
        id=job_id,
        type="medical_exam",
        user_id=None,
        input={},
        attempt=1,
        max_attempts=3,
        timeout_seconds=60,
        created_at=datetime(2025, 1, 1, tzinfo=UTC),
        age_seconds=0.1,
        lease=Lease(job_id, job_id),
        checkpoint=checkpoint,
    )


@dataclass
class Heard:
    """What a handler told its context. Checkpoints went through JSON, as they do on their way to the database."""

    progress: list[tuple[float, str]] = field(default_factory=list)
    checkpoints: list[Any] = field(default_factory=list)

    @property
    def phases(self) -> list[str]:
        return [phase for _, phase in self.progress]


def context_for(job: Job) -> tuple[JobContext, Heard]:
    heard = Heard()

    async def report_progress(progress: float, phase: str, partial: str | None = None) -> None:
        heard.progress.append((progress, phase))

    async def save_checkpoint(data: object) -> None:
        heard.checkpoints.append(json.loads(json.dumps(data)))

    log = logger.bind(job_id=job.id)
    return JobContext(job, math.inf, log, report_progress, save_checkpoint, lambda _: None), heard


class StoredFiles(Storage):
    """`files` by path."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    async def download(self, file: StoredFile, max_bytes: int = MAX_BYTES) -> bytes:
        return self.files[file.path][: max_bytes + 1]


class Pages(Ocr):
    """Reads, in this order, the given texts: one string a line, cells set apart by "|". An exception is raised."""

    def __init__(self, *texts: str | Exception) -> None:
        self.texts = list(texts)
        self.images: list[bytes] = []

    async def read(self, image: bytes) -> list[Box]:
        self.images.append(image)
        text = self.texts.pop(0)
        if isinstance(text, Exception):
            raise text
        return boxes(text)


def boxes(text: str) -> list[Box]:
    found = []
    for row, line in enumerate(text.strip().splitlines()):
        for column, cell in enumerate(line.split("|")):
            x, y = 200.0 * column, 30.0 * row
            corners = ((x, y), (x + 150, y), (x + 150, y + 20), (x, y + 20))
            found.append(Box(cell.strip(), 0.95, corners))
    return found


@dataclass
class Model:
    """A reader that sees `draft`, or raises it."""

    draft: ExamDraft | Exception | None
    pages: list[bytes] = field(default_factory=list)

    async def read(self, pages: list[bytes], context: JobContext) -> ExamDraft | None:
        del context
        self.pages = pages
        if isinstance(self.draft, Exception):
            raise self.draft
        return self.draft
