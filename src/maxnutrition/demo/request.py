"""What a demo asks for: a job type, its input, and the file that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from analysis_worker import PermanentError
from maxnutrition.job_types import JOB_TYPES, JobType
from maxnutrition.media.images import is_image, mime_type_of, sanitise
from maxnutrition.media.pages import MAX_FILE_BYTES
from maxnutrition.media.pdf import is_pdf

KINDS: Mapping[str, JobType] = {kind.name: kind for kind in JOB_TYPES}
_SAMPLE = "hemograma.jpg"
_FILE_FIELDS = ("files", "file")


@dataclass(frozen=True, slots=True)
class DemoFile:
    name: str
    content: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class DemoRequest:
    type: str
    words: Mapping[str, Any]
    """The input without its file."""
    file: DemoFile | None

    def input(self, stored: Mapping[str, str] | None) -> dict[str, Any]:
        """`stored`: where the file is now."""
        if stored is None:
            return dict(self.words)
        takes_several = "files" in KINDS[self.type].input.model_fields
        return {**self.words, **({"files": [stored]} if takes_several else {"file": stored})}

    @property
    def title(self) -> str:
        return self.type if self.file is None else f"{self.type}: {self.file.name}"


def request_for(type: str, file: Path | None, text: str | None) -> DemoRequest:
    """The type's own example, with this file or text in it.

    Raises PermanentError: unknown_type, option_not_used, file_not_found, and what the analysis would raise at once.
    """
    kind = KINDS.get(type)
    if kind is None:
        raise PermanentError("unknown_type", f"{type!r}: choose one of {', '.join(KINDS)}")
    fields = kind.input.model_fields
    takes_file = any(name in fields for name in _FILE_FIELDS)
    written = next((name for name in ("text", "message", "question") if name in fields), None)
    if (text is not None and written is None) or (file is not None and not takes_file):
        raise PermanentError("option_not_used", f"{type} takes no {'--text' if text is not None else '--file'}")
    words = {name: value for name, value in kind.examples[0].items() if name not in _FILE_FIELDS}
    if text is not None and written is not None:
        words[written] = text
    is_needed = takes_file and any(name in kind.examples[0] for name in _FILE_FIELDS)
    return DemoRequest(type, words, read_file(file) if is_needed or file is not None else None)


def read_file(path: Path | None) -> DemoFile:
    """The file to send, refused here already where the analysis would refuse it. Raises PermanentError."""
    source = resources.files("maxnutrition.samples") / _SAMPLE if path is None else path
    if not source.is_file():
        raise PermanentError("file_not_found", f"{source}: no such file")
    with source.open("rb") as opened:
        content = opened.read(MAX_FILE_BYTES + 1)
    if is_pdf(content) and not is_image(content):
        return DemoFile(source.name, content, "application/pdf")
    sanitise(content)
    return DemoFile(source.name, content, mime_type_of(content))
